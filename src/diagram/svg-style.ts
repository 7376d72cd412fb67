import { badgeColors, type Mode, surface } from './palette.js';

/** The style of the drawing. Classes instead of variables, which many viewers of SVG do not support. */
export const svgStyle = (): string =>
  [
    '.k text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Ubuntu,sans-serif}',
    '.k .m{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}',
    '.k .w{fill:none;stroke-width:2;stroke-linecap:round}.k .c,.k .t,.k .v{stroke-width:1}.k .v{stroke-dasharray:5 4}',
    ...colors('light'),
    `@media screen and (prefers-color-scheme:dark){${colors('dark').join('')}}`,
  ].join('\n');

const colors = (mode: Mode): readonly string[] => {
  const { page, card, tile, edge, wire, ink, soft } = surface[mode];
  return [
    `.k .p{fill:${page}}.k .c{fill:${card};stroke:${edge}}.k .t{fill:${tile};stroke:${edge}}`,
    `.k .v{fill:none;stroke:${badgeColors['load-balancer'][mode].text}}.k .w{stroke:${wire}}`,
    `.k .i{fill:${ink}}.k .s{fill:${soft}}`,
    ...Object.entries(badgeColors).map(
      ([badge, modes]) => `.k .b-${badge}{fill:${modes[mode].fill}}.k .x-${badge}{fill:${modes[mode].text}}`,
    ),
  ];
};
