import { badgeColors, type Mode, surface } from './palette.js';

/** The page around the drawing, on the screen and on paper. */
export const pageStyle = (): string =>
  [
    ':root{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Ubuntu,sans-serif}',
    'body{margin:0}main{max-width:88rem;margin:0 auto;padding:1.5rem}',
    '.drawing{overflow:auto;border-radius:14px;margin-bottom:1.5rem}.drawing svg{display:block;margin:0 auto}',
    'form{position:sticky;top:0;display:flex;gap:.75rem;align-items:center;padding:.6rem 0;z-index:1}',
    'label{font-weight:600}input{flex:0 1 24rem;font:inherit;padding:.35rem .7rem;border:1px solid;border-radius:8px}',
    'h2{font-size:1.1rem;margin:1.2rem 0 .5rem}.wide{overflow-x:auto;border:1px solid;border-radius:10px}',
    'table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;padding:.35rem .8rem;vertical-align:top;white-space:nowrap}',
    'thead th{font-size:.8rem;font-weight:600;white-space:nowrap}tbody th{font-weight:600;white-space:nowrap}',
    'tbody tr{border-top:1px solid}code{font:.86em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}',
    '.badge{margin-right:.2rem;display:inline-block;border-radius:9px;padding:0 .6em;font-size:.8rem;font-weight:600;white-space:nowrap}',
    '.dimmed{opacity:.18}footer{margin-top:1.2rem;font-size:.85rem}',
    ...colors('light'),
    `@media screen and (prefers-color-scheme:dark){${colors('dark').join('')}}`,
    '@media print{form{display:none}main{max-width:none;padding:0}.drawing{overflow:visible}.drawing svg{max-width:100%;height:auto}tr{break-inside:avoid}}',
  ].join('\n');

const colors = (mode: Mode): readonly string[] => {
  const { page, card, edge, ink, soft, wire } = surface[mode];
  return [
    `body,form{background:${page};color:${ink}}.wide,table{background:${card}}.wide,tbody tr{border-color:${edge}}`,
    `thead th,footer,output{color:${soft}}input{background:${card};color:${ink};border-color:${wire}}`,
    ...Object.entries(badgeColors).map(
      ([badge, modes]) => `.badge.${badge}{background:${modes[mode].fill};color:${modes[mode].text}}`,
    ),
  ];
};

/** Hides the rows that lack one of the words, and dims the hosts of hidden rows in the drawing. */
export const pageScript = `const field = document.getElementById('filter');
const rows = [...document.querySelectorAll('tbody tr')];
const hosts = new Map([...document.querySelectorAll('[data-host]')].map((shape) => [shape.dataset.host, shape]));
const total = document.querySelectorAll('section:first-of-type tbody tr').length;
const show = () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    const shape = row.closest('section') === document.querySelector('section') && hosts.get(row.cells[0].textContent);
    if (!shape) continue;
    shape.classList.toggle('dimmed', row.hidden);
    if (!row.hidden) count += 1;
  }
  document.getElementById('count').textContent = words.length > 0 ? count + ' of ' + total + ' hosts' : '';
};
field.addEventListener('input', show);
show();`;
