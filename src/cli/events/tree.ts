import { DefaultRenderer, Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput } from 'listr2';
import { writeText } from '../output.js';
import { type Colors, colorsFor } from '../text/color.js';
import { skippedText } from '../text/failure-text.js';
import { oneLine } from '../text/printable.js';
import { problemKey } from '../text/problem-groups.js';
import type { EventSink } from './event-sink.js';
import { endOf } from './lines.js';
import { type Progress, type RunEnd, trackProgress } from './progress.js';
import { type Row, rowsOf } from './rows.js';

/** Milliseconds between two redraws: short enough to seem immediate. */
const tick = 100;

/**
 * Draws a run as a tree on a terminal: a line per host, or per phase of a large fleet; then the total, and the hosts
 * that were skipped or failed with why and what to do next.
 */
export function tree(terminal: NodeJS.WriteStream): EventSink {
  const run = trackProgress();
  let drawing: Drawing | undefined;
  // Rows are made from the state at each tick and not at each event: a fleet has many thousand events.
  const refresh = (): void => {
    const now = run.now();
    if (!now) return;
    drawing ??= draw(rowsOf(now), terminal);
    drawing.show(rowsOf(now));
  };
  const timer = setInterval(refresh, tick);
  const close = async (): Promise<void> => {
    clearInterval(timer);
    refresh();
    await drawing?.end();
    for (const text of endLines(run.now(), colorsFor(terminal))) writeText(terminal, text);
  };
  return Object.assign(run.update, { close });
}

const endLines = (progress: Progress | undefined, colors: Colors): readonly string[] =>
  progress?.end === undefined
    ? []
    : [
        oneLine(`${progress.workflow} ${progress.cluster}: ${endOf(progress.end)}`),
        ...skippedText(toExplain(progress.end), colors),
      ];

/** A run that only plans ends with its plan, which explains; and the error that stopped a run is printed after this. */
const toExplain = (end: RunEnd): RunEnd['summary']['skipped'] => {
  const { skipped, pending } = end.summary;
  if (pending !== undefined) return [];
  if (end.state === 'done') return skipped;
  const stopped = problemKey({ host: end.error.where.host, problem: end.error });
  return skipped.filter((each) => problemKey(each) !== stopped);
};

interface Drawing {
  show(rows: readonly Row[]): void;
  end(): Promise<void>;
}

/** One listr2 task per row. A task does nothing but wait until its row is over. */
function draw(first: readonly Row[], terminal: NodeJS.WriteStream): Drawing {
  const lines = first.map(line);
  const list = new Listr<unknown, typeof TerminalRenderer>(
    lines.map(({ row, task }) => ({
      title: titleOf(row),
      task,
      rendererOptions: { outputBar: 5, persistentOutput: true },
    })),
    {
      concurrent: true,
      exitOnError: false,
      // The command answers Ctrl-C; listr2 would end the process with 127.
      registerSignalListeners: false,
      renderer: TerminalRenderer,
      rendererOptions: {
        formatOutput: 'truncate',
        // Both of its streams are the terminal's: stdout stays free for results and for JSON events.
        logger: new ListrLogger({ useIcons: true, toStderr: [], processOutput: new ProcessOutput(terminal, terminal) }),
      },
    },
  );
  const drawn = list.run();
  return {
    show(rows) {
      for (const [index, each] of lines.entries()) each.show(rows[index]);
    },
    async end() {
      for (const each of lines) each.end();
      await drawn;
    },
  };
}

/** listr2 asks whether stdout is a terminal; this tree is drawn on stderr, and its caller has asked. */
class TerminalRenderer extends DefaultRenderer {
  static override readonly nonTTY = true as never;
}

type Wrapper = ListrTaskWrapper<unknown, typeof TerminalRenderer, never>;

/** The life of one row: drawn as it is wanted until it is done, failed, or the run ends without it. */
function line(row: Row) {
  let wanted = row;
  let drawn: Row = { ...row, text: '', below: [] };
  let ended = false;
  let wrapper: Wrapper | undefined;
  let resolve = (): void => {};
  let reject = (_error: Error): void => {};
  const over = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  // listr2 starts a task in its own time: what is wanted before that is drawn when it does.
  const redraw = (): void => {
    if (!wrapper) return;
    if (wanted.text !== drawn.text) wrapper.title = titleOf(wanted);
    for (const text of wanted.below.slice(drawn.below.length)) wrapper.output = text;
    drawn = wanted;
    if (wanted.state === 'done') resolve();
    else if (wanted.state === 'failed') reject(new Error(wanted.text));
    else if (ended) {
      wrapper.skip(titleOf(wanted));
      resolve();
    }
  };
  return {
    row,
    task: (_context: unknown, task: Wrapper): Promise<void> => {
      wrapper = task;
      redraw();
      return over;
    },
    show(next: Row | undefined): void {
      wanted = next ?? wanted;
      redraw();
    },
    end(): void {
      ended = true;
      redraw();
    },
  };
}

// A row without a title would write its output elsewhere; a blank one is not drawn.
const titleOf = (row: Row): string => row.text || ' ';
