// The shop's one stylesheet: light and dark, narrow and wide, no script.

/** Served as /style.css. */
export const style = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1d2a22, #e8eee6);
  --soft: light-dark(#5a685e, #9fb0a3);
  --paper: light-dark(#f6f4ec, #141a16);
  --card: light-dark(#fffefa, #1d2620);
  --line: light-dark(#dcd9cb, #33403a);
  --leaf: light-dark(#2f6b45, #7cc796);
  --on-leaf: light-dark(#fff, #10231a);
  --warn: light-dark(#8a3b12, #f0b48e);
  --tint: light-dark(#e3eddc, #27352b);
  --stroke: light-dark(#2f6b45, #8fd1a6);
  --radius: 14px;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
h1, h2, .brand { font-family: ui-serif, Georgia, "DejaVu Serif", serif; line-height: 1.25; }
h1 { font-size: 1.9rem; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .7rem; }
a { color: var(--leaf); }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--leaf); outline-offset: 2px; border-radius: 4px; }
form { margin: 0; }

header { border-bottom: 1px solid var(--line); background: var(--card); }
.bar { max-width: 64rem; margin: auto; padding: .8rem 1.3rem; display: flex; gap: .4rem 1.6rem; align-items: center; flex-wrap: wrap; }
.brand { display: inline-flex; align-items: center; gap: .5rem; font-size: 1.25rem; }
.brand svg { width: 2.3rem; margin-left: -.5rem; }
.bar nav { display: flex; gap: 1.2rem; flex: 1; flex-wrap: wrap; }
.bar nav a { text-decoration: none; padding: .15rem 0; border-bottom: 2px solid transparent; }
.bar nav a[aria-current] { border-color: var(--leaf); }
main { max-width: 64rem; margin: 2rem auto 4rem; padding: 0 1.3rem; }
.lead { color: var(--soft); margin: 0 0 1.6rem; max-width: 44rem; }
.below { margin-top: 1.2rem; }
.flash { background: var(--tint); border-left: 5px solid var(--leaf); border-radius: 8px; padding: .7rem 1.1rem; margin: 0 0 1.5rem; }
footer { color: var(--soft); font-size: .9rem; border-top: 1px solid var(--line); padding-top: 1.1rem; margin-top: 3rem; }

svg { fill: none; stroke: var(--stroke); stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
svg .fill, svg .both { fill: var(--stroke); fill-opacity: .22; }
svg .fill { stroke: none; }
.hojicha { --tint: light-dark(#f1e3d2, #3a2e23); --stroke: light-dark(#8a5325, #dba877); }
.genmaicha { --tint: light-dark(#f2ecd0, #37331f); --stroke: light-dark(#7d6a17, #d6c36c); }
.kyusu { --tint: light-dark(#f3dfd8, #3b2823); --stroke: light-dark(#9a4630, #e6a08b); }
.chawan { --tint: light-dark(#dde8ec, #22313a); --stroke: light-dark(#2f6378, #8dc3da); }
.chasen { --tint: light-dark(#ece6da, #322e26); --stroke: light-dark(#6c5a3a, #cdb98f); }

.grid { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); padding: 0; margin: 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; display: flex; flex-direction: column; padding-bottom: 1rem; }
.card > * { margin: 0 1.1rem; }
.card > svg { margin: 0 0 .9rem; width: 100%; height: 7.6rem; padding: 1.2rem; background: var(--tint); }
.card p { color: var(--soft); margin: .1rem 1.1rem .9rem; flex: 1; }
.price { font-weight: 600; font-variant-numeric: tabular-nums; }
.row { display: flex; gap: .7rem; align-items: center; justify-content: space-between; flex-wrap: wrap; }
.left { justify-content: flex-start; }
.line { display: inline-flex; align-items: center; gap: .7rem; }
.line svg { width: 3.4rem; padding: .35rem; border-radius: 8px; background: var(--tint); }

button { font: inherit; font-weight: 600; padding: .42rem 1rem; border-radius: 999px; border: 1px solid var(--leaf); background: var(--leaf); color: var(--on-leaf); cursor: pointer; }
button:hover { filter: brightness(1.08); }
button.quiet { background: transparent; color: var(--leaf); font-weight: 400; }
label { display: block; margin: .8rem 0; }
input[type=text] { font: inherit; margin-top: .2rem; padding: .5rem .8rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; width: 100%; max-width: 22rem; }
input[type=checkbox] { accent-color: var(--leaf); }

table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
th, td { text-align: left; padding: .6rem 1.1rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 400; font-size: .92rem; }
h1 + table { margin-top: 1.3rem; }
td.num, th.num { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
code, .mono { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .5rem 1.6rem; background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem; margin: 0; }
dt, time { color: var(--soft); }
time { font-size: .92rem; margin-left: .4rem; }
td time { display: block; margin: 0; }
dd { margin: 0; }
meter { width: 100%; height: .9rem; }
.warn { color: var(--warn); }
@media (max-width: 40rem) {
  .brand { flex: 1; }
  .bar nav { order: 1; flex: 1 0 100%; }
  th, td { padding: .5rem .6rem; }
  .line svg { display: none; }
  button { padding: .35rem .75rem; }
  dl { grid-template-columns: 1fr; gap: .1rem; }
  dd { margin-bottom: .6rem; }
  time { display: block; margin: 0; }
}
`;
