// The shop's one stylesheet: light and dark, narrow and wide, no script.

/** Served as /style.css. */
export const style = `
:root { color-scheme: light dark;
  --ink: light-dark(#1d2a22, #e8eee6); --soft: light-dark(#5c6b60, #9fb0a3);
  --paper: light-dark(#f6f4ec, #141a16); --card: light-dark(#fffefa, #1d2620);
  --line: light-dark(#dcd9cb, #33403a); --leaf: light-dark(#2f6b45, #7cc796); --on-leaf: light-dark(#fff, #10231a);
  --warn: light-dark(#8a3b12, #f0b48e); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 ui-serif, Georgia, serif; }
a { color: var(--leaf); } a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--leaf); outline-offset: 2px; border-radius: 4px; }
header { border-bottom: 1px solid var(--line); background: var(--card); }
.bar { max-width: 62rem; margin: auto; padding: .9rem 1.2rem; display: flex; gap: .4rem 1.3rem; align-items: baseline; flex-wrap: wrap; }
.bar strong { font-size: 1.25rem; letter-spacing: .02em; } .bar nav { display: flex; gap: 1.1rem; flex: 1; flex-wrap: wrap; }
.bar nav a { text-decoration: none; padding: .1rem 0; } .bar nav a[aria-current] { border-bottom: 2px solid var(--leaf); }
main { max-width: 62rem; margin: 1.6rem auto 4rem; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
.lead { color: var(--soft); margin: 0 0 1.4rem; max-width: 46rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); padding: 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem; display: flex; flex-direction: column; gap: .3rem; }
.card .glyph { font-size: 2.2rem; line-height: 1; } .card p { margin: 0; color: var(--soft); flex: 1; }
.row { display: flex; gap: .7rem; align-items: center; justify-content: space-between; flex-wrap: wrap; }
button { font: inherit; padding: .4rem .95rem; border-radius: 8px; border: 1px solid var(--leaf); background: var(--leaf); color: var(--on-leaf); cursor: pointer; }
button.quiet { background: transparent; color: var(--leaf); } form { margin: 0; }
input[type=text] { font: inherit; padding: .45rem .7rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: inherit; width: 100%; max-width: 20rem; }
label { display: block; margin: .6rem 0; } .flash { background: var(--card); border: 1px solid var(--leaf); border-left-width: 6px; border-radius: 8px; padding: .7rem 1rem; margin: 0 0 1.2rem; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
th, td { text-align: left; padding: .5rem .9rem; border-top: 1px solid var(--line); vertical-align: top; } thead th { border-top: 0; color: var(--soft); font-weight: 600; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; } code, .mono { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .35rem 1.4rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; } meter { width: 100%; height: .9rem; } .warn { color: var(--warn); }
footer { color: var(--soft); font-size: .9rem; border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2.5rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: .1rem; } dd { margin-bottom: .6rem; } }
`;
