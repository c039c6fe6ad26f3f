/** The one style of all pages: readable on a phone, in light and dark, with nothing loaded from anywhere. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#16202b;--soft:#5b6875;--paper:#f4f6f8;--card:#fff;--line:#d5dce3;--accent:#0b5fd0;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#a3afbb;--paper:#10161c;--card:#1a222b;--line:#33404d;--accent:#6aa8ff;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:8vh auto 0;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}
main>:last-child{margin-bottom:0}
h1{margin:0 0 1rem;font-size:1.35rem;line-height:1.25}
p{margin:0 0 1rem}
ul,dl{margin:0 0 1rem;padding-left:1.25rem}
dl{padding:0}
dt{color:var(--soft);font-size:.875rem}
dd{margin:0 0 .5rem}
label{display:block;margin:0 0 1rem;font-weight:600}
input{display:block;width:100%;margin-top:.25rem;padding:.6rem .7rem;font:inherit;font-weight:400;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.5rem}
button,a.button{display:block;width:100%;margin:0 0 .75rem;padding:.7rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:var(--card);background:var(--accent);border:1px solid var(--accent);border-radius:.5rem;cursor:pointer}
button.plain,a.button.plain{color:var(--accent);background:transparent}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.soft{color:var(--soft);font-size:.875rem}
@media(max-width:30rem){main{margin-top:0}}
.problem{padding:.6rem .8rem;border-left:4px solid var(--bad);color:var(--bad)}
`;
