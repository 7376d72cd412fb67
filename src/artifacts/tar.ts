import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';

/** One member of a tar. `file` is a path on this machine whose content is streamed. */
export type Entry =
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | { readonly type: 'text'; readonly path: string; readonly mode: number; readonly text: string }
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly file: string }
  | { readonly type: 'symlink'; readonly path: string; readonly to: string }
  /** A hard link to a member that comes before it. */
  | { readonly type: 'link'; readonly path: string; readonly to: string };

/** A tar of these members in this order, root's and dated 1970: the same members give the same bytes. */
export const tarOf = (entries: readonly Entry[]): AsyncIterable<Uint8Array> => {
  const tar = pack();
  void write(tar, entries).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return tar as AsyncIterable<Uint8Array>; // its own types leave open what the pieces are
};

const write = async (tar: Pack, entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) {
    if (entry.type === 'file') {
      const { size } = await stat(entry.file);
      await pipeline(
        createReadStream(entry.file, { highWaterMark: 1 << 20 }),
        tar.entry({ ...head(entry, 'file'), mode: entry.mode, size }),
      );
    } else {
      await small(tar, entry);
    }
  }
};

const small = (tar: Pack, entry: Exclude<Entry, { type: 'file' }>): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    switch (entry.type) {
      case 'text':
        return void tar.entry({ ...head(entry, 'file'), mode: entry.mode }, entry.text, done);
      case 'directory':
        return void tar.entry({ ...head(entry, 'directory'), mode: entry.mode }, done);
      case 'symlink':
        return void tar.entry({ ...head(entry, 'symlink'), mode: 0o777, linkname: entry.to }, done);
      case 'link':
        return void tar.entry({ ...head(entry, 'link'), mode: 0o755, linkname: entry.to.replace(/^\//, '') }, done);
    }
  });

const head = (entry: Entry, type: Header['type']): Partial<Header> & Pick<Header, 'name'> => ({
  name: entry.path.replace(/^\//, ''),
  type,
  mtime: new Date(0),
  uid: 0,
  gid: 0,
  uname: 'root',
  gname: 'root',
});
