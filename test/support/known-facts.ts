import { factsScript } from '../../src/hosts/facts/script.js';
import type { Script } from '../../src/hosts/shell.js';
import { asScript } from './script.js';

/**
 * The script with these facts where it would ask for facts. To ask takes more processor time than all other questions of
 * a run together, and most tests change no fact of their host.
 */
export const withKnownFacts = (script: Script, facts: string): Script =>
  asScript(script.replace(factsScript, () => `cat <<'KNOWN_FACTS'\n${facts}KNOWN_FACTS`));
