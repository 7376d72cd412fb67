import type { Emit, Event } from '../../engine/event.js';
import { Failure } from '../../failure.js';
import { writeText } from '../output.js';
import type { EventSink } from './event-sink.js';
import { journal } from './journal.js';
import { jsonEvents, jsonEventsFile } from './json-events.js';
import { lines } from './lines.js';

/** Where the events of a run go, as the flags ask for it. */
export interface EventOptions {
  /** A file for JSON lines, or `-` for stdout. */
  readonly events?: string | undefined;
  /** The folder of the journal; no journal when absent. */
  readonly journal?: string | undefined;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `emit` for the engine, and `close` once the run is over, before results are printed. */
export interface EventSinks {
  readonly emit: Emit;
  /** Leaves the terminal to `work`, such as a question, and draws anew after it. */
  pauseDrawing<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Opens the sinks of a run: a tree on a terminal, lines in a pipe, JSON lines where asked, and the journal. */
export async function openEventSinks(
  options: EventOptions,
  streams: Streams = process,
  clock: () => number = Date.now,
): Promise<EventSinks> {
  const recording = [...recorders(options, streams)];
  let drawing = await renderers(options, streams);
  // What a tree that is drawn anew must know: all of the planning, which is short, and of the work only that it began.
  let soFar: Event[] = [];
  let isPlanning = false;
  const closeAll = async (sinks: readonly EventSink[]): Promise<void> => {
    for (const sink of sinks) await sink.close?.();
  };
  return {
    emit: (data) => {
      const event: Event = { at: clock(), ...data };
      if (event.type === 'run') isPlanning = event.state === 'started';
      if (event.type === 'run') soFar = isPlanning ? [event] : soFar.slice(0, 1);
      else if (isPlanning) soFar.push(event);
      for (const sink of [...recording, ...drawing]) sink(event);
    },
    async pauseDrawing(work) {
      // Lines are never drawn over: only a tree is taken away and drawn anew.
      if (!drawsTree(options, streams)) return work();
      await closeAll(drawing);
      drawing = [];
      const result = await work();
      drawing = await renderers(options, streams);
      for (const event of soFar) for (const sink of drawing) sink(event);
      return result;
    },
    async close() {
      await closeAll([...recording.splice(0), ...drawing]);
      drawing = [];
    },
  };
}

function recorders({ events, journal: folder, json }: EventOptions, { stdout }: Streams): readonly EventSink[] {
  if (events === '-' && json) {
    throw new Failure('usage', '--json and --events - both want stdout', {
      next: 'give the events a file: --events FILE',
    });
  }
  const found: EventSink[] = [];
  if (folder !== undefined) found.push(opened(folder, () => journal(folder)));
  if (events === '-') found.push(jsonEvents(stdout));
  else if (events !== undefined) found.push(opened(events, () => jsonEventsFile(events)));
  return found;
}

function opened(path: string, open: () => EventSink): EventSink {
  try {
    return open();
  } catch (cause) {
    const why = cause instanceof Error ? [cause.message] : [];
    throw new Failure('usage', `cannot write the events of this run to ${path}`, { why, cause });
  }
}

const drawsTree = ({ verbose = false }: EventOptions, { stderr }: Streams): boolean => stderr.isTTY && !verbose;

async function renderers(
  { events, json, verbose = false }: EventOptions,
  streams: Streams,
): Promise<readonly EventSink[]> {
  // JSON lines on a terminal and a tree on the same one would overwrite each other.
  const taken = events === '-' && streams.stdout.isTTY;
  if (taken || (json && !streams.stderr.isTTY && !verbose)) return [];
  if (drawsTree({ verbose }, streams)) {
    const { tree } = await import('./tree.js');
    return [tree(streams.stderr)];
  }
  return [lines({ verbose, write: (line) => writeText(streams.stderr, line) })];
}
