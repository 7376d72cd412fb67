/**
 * The sha256 of a file, in hex, in a text that a project publishes: the bare digest, the lines of sha256sum(1), also
 * within a PGP clear-signed message, whose signature is checked elsewhere. Undefined where the text has none for that name.
 */
export const checksumIn = (text: string, name: string): string | undefined => {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const found = lines
    .map((line) => /^([0-9a-f]{64})(?:\s+\*?(?:.*\/)?(.+))?$/i.exec(line))
    .filter((each) => each !== null);
  const [bare] = found.length === 1 ? found.filter(([, , of]) => of === undefined) : [];
  return (bare ?? found.find(([, , of]) => of === name))?.[1]?.toLowerCase();
};
