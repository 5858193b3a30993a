// The demo's one stylesheet: light and dark, narrow and wide.

/** Served as /style.css. */
export const style = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1b241e, #e9efe8);
  --soft: light-dark(#55625a, #a6b5aa);
  --paper: light-dark(#faf9f4, #121714);
  --card: light-dark(#fff, #1a211d);
  --line: light-dark(#dfdcd0, #313c35);
  --leaf: light-dark(#256140, #82cd9c);
  --on-leaf: light-dark(#fff, #0e1f16);
  --warn: light-dark(#9a3412, #f3ad86);
  --warn-tint: light-dark(#fbeae0, #34231a);
  --tint: light-dark(#e4f0e4, #1f3127);
  --stroke: light-dark(#2f6b45, #8fd1a6);
  --radius: 12px;
  --mono: ui-monospace, "SF Mono", "DejaVu Sans Mono", Consolas, monospace;
  --serif: ui-serif, "Iowan Old Style", Georgia, "DejaVu Serif", serif;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, .brand, .number { font-family: var(--serif); line-height: 1.2; }
h1 { font-size: 2rem; margin: 0 0 .4rem; letter-spacing: -.012em; text-wrap: balance; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .7rem; }
h3 { font-size: 1rem; margin: 0; }
a { color: var(--leaf); text-underline-offset: .18em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--leaf); outline-offset: 2px; border-radius: 4px; }
form { margin: 0; }

.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .6rem; background: var(--card); padding: .3rem .8rem; z-index: 1; }
header { border-bottom: 1px solid var(--line); background: var(--card); }
.bar, main, body > footer { max-width: 66rem; margin-inline: auto; padding-inline: 1.4rem; }
.bar { padding-block: .8rem; display: flex; gap: .3rem 1.8rem; align-items: center; flex-wrap: wrap; min-height: 3.6rem; }
.brand { font-size: 1.15rem; font-weight: 700; color: var(--ink); text-decoration: none; }
.bar nav { display: flex; gap: .1rem 1.3rem; flex: 1; flex-wrap: wrap; }
.bar nav a, .account a { text-decoration: none; padding: .2rem 0; border-bottom: 2px solid transparent; }
.bar nav a:hover, .account a:hover, .bar a[aria-current] { border-color: var(--leaf); }
main { padding-block: 2.4rem 1rem; }
.lead { color: var(--soft); margin: 0 0 1.6rem; max-width: 44rem; }
.lead strong { color: var(--ink); }
.below { margin-top: 1.2rem; }
.flash { background: var(--tint); border-left: 4px solid var(--leaf); border-radius: 6px; padding: .7rem 1.1rem; margin: 0 0 1.5rem; }
.flash.warn { background: var(--warn-tint); border-color: var(--warn); color: var(--ink); }
body > footer { color: var(--soft); font-size: .9rem; margin-top: 2.5rem; margin-bottom: 2rem; }
body > footer p { border-top: 1px solid var(--line); padding-top: 1.1rem; margin: 0; }

.hero { margin-block: .6rem 2.6rem; }
.hero h1 { font-size: clamp(2.1rem, 6vw, 3.3rem); line-height: 1.08; letter-spacing: -.02em; margin-bottom: .9rem; }
.hero .lead { font-size: 1.12rem; margin: 0; }
.proof { border-top: 1px solid var(--line); padding-block: 1.9rem 2.2rem; }
.proof h2 { font-size: 1.55rem; margin: 0 0 .4rem; }
.number { color: var(--leaf); font-style: italic; font-weight: 400; margin-right: .35rem; }
.story { max-width: 44rem; margin: 0 0 1.1rem; color: var(--soft); }
.sent { color: var(--soft); font-size: .9rem; margin-left: .5rem; }
.columns { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; margin-top: 1.3rem; }
.column { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.05rem 1.2rem 1.2rem; display: grid; grid-template-columns: minmax(0, 1fr); grid-template-rows: subgrid; grid-row: span 4; row-gap: 0; }
#devices .column { grid-row: span 3; }
.what { color: var(--soft); font-size: .92rem; margin: .15rem 0 .9rem; }
output { display: block; font: 1.55rem/1.25 var(--serif); color: var(--soft); padding-left: .75rem; border-left: 4px solid var(--line); margin-bottom: .9rem; min-height: 1.25em; }
output small { font: .9rem/1.4 system-ui, sans-serif; color: var(--soft); }
output[data-good=true] { border-color: var(--leaf); color: var(--leaf); }
output[data-good=false] { border-color: var(--warn); color: var(--warn); }
output[data-good=true] strong::before { content: "✓ " / ""; }
output[data-good=false] strong::before { content: "✗ " / ""; }
output strong { font-weight: 600; }
.events { list-style: none; margin: 0; padding: .6rem .8rem; height: 9.2rem; overflow: auto; background: var(--paper); border-radius: 8px; font: .8rem/1.6 var(--mono); overflow-wrap: anywhere; }
.events:empty::before { content: "events appear here"; color: var(--soft); }
iframe { border: 1px solid var(--line); border-radius: 8px; background: var(--paper); width: 100%; height: 18rem; margin: .6rem 0 .9rem; display: block; }
iframe.phone { width: min(100%, 21rem); border-radius: 20px; margin-inline: auto; }
.frame { padding: 1.1rem 1.2rem; font-size: .95rem; }
.frame h1 { font-size: 1.3rem; }
.frame form { margin-top: .7rem; }
.frame label { margin: 0 0 .7rem; }
.frame .lead { margin: 0; }
.frame .flash { margin-bottom: .9rem; padding: .5rem .9rem; }

svg { fill: none; stroke: var(--stroke); stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
svg .fill, svg .both { fill: var(--stroke); fill-opacity: .22; }
svg .fill { stroke: none; }
.hojicha { --tint: light-dark(#f1e3d2, #3a2e23); --stroke: light-dark(#8a5325, #dba877); }
.genmaicha { --tint: light-dark(#f2ecd0, #37331f); --stroke: light-dark(#7d6a17, #d6c36c); }
.kyusu { --tint: light-dark(#f3dfd8, #3b2823); --stroke: light-dark(#9a4630, #e6a08b); }
.chawan { --tint: light-dark(#dde8ec, #22313a); --stroke: light-dark(#2f6378, #8dc3da); }
.chasen { --tint: light-dark(#ece6da, #322e26); --stroke: light-dark(#6c5a3a, #cdb98f); }

.grid { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(min(15.5rem, 100%), 1fr)); padding: 0; margin: 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; display: flex; flex-direction: column; padding-bottom: 1rem; }
.card > * { margin: 0 1.1rem; }
.card h2 { font-size: 1.2rem; }
.card > svg { margin: 0 0 .9rem; width: 100%; height: 7.6rem; padding: 1.2rem; background: var(--tint); }
.card p { color: var(--soft); margin: .1rem 1.1rem .9rem; flex: 1; }
.price { font-weight: 600; font-variant-numeric: tabular-nums; }
.narrow { display: none; }
.row { display: flex; gap: .7rem; align-items: center; justify-content: space-between; flex-wrap: wrap; }
.line { display: inline-flex; align-items: center; gap: .7rem; }
.line svg { width: 3.4rem; padding: .35rem; border-radius: 8px; background: var(--tint); }

button { font: inherit; font-weight: 600; padding: .45rem 1.05rem; border-radius: 999px; border: 1px solid var(--leaf); background: var(--leaf); color: var(--on-leaf); cursor: pointer; max-width: 100%; overflow-wrap: anywhere; }
button:hover { filter: brightness(1.08); }
button[aria-disabled=true] { opacity: .6; cursor: progress; }
button.quiet { background: transparent; color: var(--leaf); font-weight: 400; }
label { display: block; margin: .8rem 0; }
input[type=text] { font: inherit; margin-top: .2rem; padding: .45rem .8rem; border: 1px solid var(--soft); border-radius: 8px; background: var(--card); color: inherit; width: 100%; max-width: 22rem; display: block; }
input[type=checkbox] { accent-color: var(--leaf); }

table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
th, td { text-align: left; padding: .6rem 1.1rem; border-top: 1px solid var(--line); font-weight: 400; }
thead th, thead td { border-top: 0; color: var(--soft); font-size: .92rem; }
h1 + table { margin-top: 1.3rem; }
td.num, th.num { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
code, .mono { font-family: var(--mono); font-size: .9em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .5rem 1.6rem; background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem; margin: 0; }
dt, time { color: var(--soft); }
time { font-size: .92rem; margin-left: .4rem; }
td time { display: block; margin: 0; }
dd { margin: 0; min-width: 0; }
@media (max-width: 46rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .events { height: auto; max-height: 9.2rem; min-height: 2.5rem; }
  .sent { display: block; margin: .5rem 0 0; }
}
@media (max-width: 40rem) {
  .brand { flex: 1; }
  .bar nav { order: 1; flex: 1 0 100%; }
  .bar, main, body > footer { padding-inline: 1rem; }
  main { padding-top: 1.6rem; }
  th, td { padding: .5rem .6rem; }
  .line svg { display: none; }
  button { padding: .4rem .8rem; }
  .cart button { padding: .2rem .7rem; }
  .wide { display: none; }
  .narrow { display: inline; }
  .bar nav { column-gap: 1rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  dd { margin-bottom: .6rem; }
  time { display: block; margin: 0; }
  .stacks, .stacks tbody, .stacks tr, .stacks th, .stacks td { display: block; border: 0; }
  .stacks thead { display: none; }
  .stacks { border: 1px solid var(--line); }
  .stacks tr + tr { border-top: 1px solid var(--line); }
  .stacks tr { padding: .5rem .3rem; }
  .stacks th, .stacks td, .stacks td.num { padding: .15rem .6rem; text-align: left; white-space: normal; }
  .stacks th { font-weight: 600; }
  .stacks td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
  .stacks time { display: inline; margin-left: .3rem; }
}
`;
