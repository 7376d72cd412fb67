import { factsScript } from '../../src/hosts/facts/script.js';
import type { Script } from '../../src/hosts/shell.js';
import { asScript } from './script.js';

/**
 * The script with these facts where it would ask for facts. To ask takes more processor time than all other questions of
 * a run together, and most tests change no fact of their host.
 */
export const withKnownFacts = (script: Script, facts: string): Script =>
  asScript(script.replace(factsScript, () => `cat <<'KNOWN_FACTS'\n${facts}KNOWN_FACTS`));

/** The script that asks for facts, from one line to another, which is left out: all of it takes a quarter of a second. */
export const partOfFacts = (from: string, until = ''): string => {
  const begin = factsScript.indexOf(`\n${from}`);
  const end = until === '' ? factsScript.length : factsScript.indexOf(`\n${until}`);
  if (begin < 0 || end < begin) throw new Error(`the script has no line ${from}, or no line ${until} after it`);
  return `fact() { printf '%s %s\\n' "$1" "$2"; }${factsScript.slice(begin, end)}\n`;
};
