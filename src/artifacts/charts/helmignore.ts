import { Minimatch } from 'minimatch';

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
  if (written.includes('**')) {
    throw new Error(`.helmignore:${index + 1}: helm takes no rule ${written}: a double star has no meaning to it`);
  }
  const pattern = written.replace(/^!/, '').replace(/\/$/, '');
  const ofWholePath = pattern.includes('/');
  const glob = new Minimatch(pattern.replace(/^\//, ''), asFilepathMatch);
  const matches = (path: string) => glob.match(ofWholePath ? path : path.slice(path.lastIndexOf('/') + 1));
  const forFoldersAlone = written.endsWith('/');
  return [
    written.startsWith('!')
      ? (path, isFolder) => (forFoldersAlone && !isFolder) || !matches(path)
      : (path, isFolder) => (!forFoldersAlone || isFolder) && matches(path),
  ];
};

/**
 * What is left of minimatch's globs is a pattern of Go's filepath.Match, https://pkg.go.dev/path/filepath#Match. Brackets that
 * are not closed, a mistake to Go, stand for themselves here.
 */
const asFilepathMatch = { dot: true, nobrace: true, nocomment: true, noext: true, noglobstar: true, nonegate: true };
