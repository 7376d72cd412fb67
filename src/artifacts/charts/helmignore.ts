/** Says of a path below a chart's folder, with `/` between names, whether helm leaves it out; of a folder, with all in it. */
export type Ignores = (path: string, isFolder: boolean) => boolean;

/**
 * The rules of a chart's `.helmignore` and helm's own one, as helm reads them: https://pkg.go.dev/helm.sh/helm/v3/pkg/ignore.
 * They are not those of `.gitignore`: the first rule that applies decides, `!` leaves out all that does not match, and `**` is
 * a mistake. Throws an Error with the line that is none.
 */
export const helmIgnores = (text: string): Ignores => {
  const rules = [...text.replace(/^\uFEFF/, '').split('\n'), 'templates/.?*'].flatMap(ruleIn);
  return (path, isFolder) => rules.some((rule) => rule(path, isFolder));
};

const ruleIn = (line: string, index: number): readonly Ignores[] => {
  const written = line.trim();
  if (written === '' || written.startsWith('#')) return [];
  const fail = (why: string): never => {
    throw new Error(`.helmignore:${index + 1}: helm takes no rule ${written}: ${why}`);
  };
  if (written.includes('**')) fail('a double star has no meaning to it');
  const pattern = written.replace(/^!/, '').replace(/\/$/, '');
  const ofWholePath = pattern.includes('/');
  const expression = toRegExp(pattern.replace(/^\//, '')) ?? fail('its brackets or its last backslash are unfinished');
  const matches = (path: string) => expression.test(ofWholePath ? path : path.slice(path.lastIndexOf('/') + 1));
  const forFoldersAlone = written.endsWith('/');
  return [
    written.startsWith('!')
      ? (path, isFolder) => (forFoldersAlone && !isFolder) || !matches(path)
      : (path, isFolder) => (!forFoldersAlone || isFolder) && matches(path),
  ];
};

/** A pattern of Go's filepath.Match, https://pkg.go.dev/path/filepath#Match; undefined where it is malformed. */
const toRegExp = (pattern: string): RegExp | undefined => {
  const terms = [...pattern.matchAll(term)];
  if (terms.map(([text]) => text).join('') !== pattern) return undefined;
  return new RegExp(`^${terms.map(([text]) => translated(text)).join('')}$`, 'su');
};

const character = String.raw`(\\.|[^\\\]-])`;
const range = `${character}(?:-${character})?`;
const term = new RegExp(String.raw`\*|\?|\[(?:\^|(?!\^))(?:${range})+\]|\\.|[^\\*?[]`, 'gsu');

const translated = (text: string): string => {
  if (text === '*') return '[^/]*';
  if (text === '?') return '[^/]';
  if (!text.startsWith('[')) return literal(text);
  const ranges = [...text.slice(1, -1).replace(/^\^/, '').matchAll(new RegExp(range, 'gsu'))]
    // One that ends before it begins holds nothing.
    .flatMap(([, low = '', high = low]) => (codeOf(low) > codeOf(high) ? [] : [`${literal(low)}-${literal(high)}`]));
  return `[${text.startsWith('[^') ? '^' : ''}${ranges.join('')}]`;
};

const literal = (text: string): string => `\\u{${codeOf(text).toString(16)}}`;

const codeOf = (text: string): number => text.codePointAt(text.startsWith('\\') ? 1 : 0) ?? 0;
