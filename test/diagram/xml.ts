export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Every element of a small XML document. Throws where the document is not well-formed: tags that do not match, a bare
 * ampersand or angle bracket, an attribute without quotes or given twice.
 */
export const elementsOf = (xml: string): readonly Element[] => {
  const elements: Element[] = [];
  const open: string[] = [];
  const rest = xml.replace(/<([^<>]*)>|([^<>]+)/g, (_all, tag: string | undefined, text: string | undefined) => {
    if (tag === undefined) entities(text ?? '');
    else if (tag.startsWith('/')) {
      if (open.pop() !== tag.slice(1)) throw new Error(`<${tag}> closes nothing`);
    } else {
      const [, name = '', written = '', end] = /^([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)$/.exec(tag) ?? [];
      if (name === '') throw new Error(`<${tag}> is no tag`);
      elements.push({ name, attributes: attributesOf(written) });
      if (end === '') open.push(name);
    }
    return '';
  });
  if (rest !== '' || open.length > 0) throw new Error(`left over: ${rest}${open.join()}`);
  return elements;
};

const attributesOf = (written: string): Readonly<Record<string, string>> => {
  const attributes = new Map<string, string>();
  for (const [, name = '', value = ''] of written.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (attributes.has(name)) throw new Error(`${name} is there twice`);
    attributes.set(name, entities(value));
  }
  return Object.fromEntries(attributes);
};

const entities = (text: string): string => {
  const bare = /&(?!(amp|lt|gt|quot);)/.exec(text);
  if (bare !== null) throw new Error(`a bare ampersand: ${text}`);
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
};
