/**
 * One word of an ExecStart= line. Specifiers and variables are escaped; what holds a blank, a quote or a backslash is
 * quoted. See systemd.service(5), "COMMAND LINES".
 */
export const systemdQuote = (word: string): string => {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(text) || text === '' ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text;
};

/** One assignment of an Environment= line, which knows specifiers and no variables. See systemd.exec(5). */
export const systemdSetting = (assignment: string): string =>
  `"${assignment.replaceAll('%', '%%').replaceAll(/["\\]/g, '\\$&')}"`;
