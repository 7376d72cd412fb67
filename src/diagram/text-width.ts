/** An upper estimate of the width of a text, in pixels: the reader's fonts are not known. */
export const widthOf = (text: string, size: number, style: 'plain' | 'bold' | 'mono' = 'plain'): number => {
  if (style === 'mono') return text.length * size * 0.63;
  const em = [...text].reduce((sum, letter) => sum + letterWidth(letter), 0);
  return em * size * (style === 'bold' ? 1.14 : 1.06);
};

const letterWidth = (letter: string): number => {
  if (/[il.,:;'|!·]/.test(letter)) return 0.32;
  if (/[fjrt\-()[\] ]/.test(letter)) return 0.42;
  if (/[mwMW…→]/.test(letter)) return 0.95;
  return /[A-Z]/.test(letter) ? 0.72 : 0.6;
};

/** The text, or as much of it as fits with an ellipsis. */
export const fitted = (text: string, room: number, size: number, style?: 'plain' | 'bold' | 'mono'): string => {
  if (widthOf(text, size, style) <= room) return text;
  for (let end = text.length - 1; end > 0; end--) {
    const part = `${text.slice(0, end)}…`;
    if (widthOf(part, size, style) <= room) return part;
  }
  return '…';
};
