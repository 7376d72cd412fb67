/** One request of a prober, good unless it says why not. */
export interface Sample {
  /** When it was started, in milliseconds since the epoch. */
  readonly at: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  readonly error?: string;
}

export interface IntervalProber {
  /** In the order in which they ended; grows until `stop`. */
  readonly samples: readonly Sample[];
  /** Starts no more, and comes back when the last one has ended. */
  stop(): Promise<void>;
}

/** Asks every `period` milliseconds, whether or not the answer before has come. */
export const probeEvery = (period: number, ask: () => Promise<unknown>): IntervalProber => {
  const samples: Sample[] = [];
  const going = new Set<Promise<void>>();
  const one = async (): Promise<void> => {
    const at = Date.now();
    try {
      await ask();
      samples.push({ at, ms: Date.now() - at });
    } catch (error) {
      samples.push({ at, ms: Date.now() - at, error: error instanceof Error ? error.message : String(error) });
    }
  };
  const timer = setInterval(() => {
    const asked = one().finally(() => going.delete(asked));
    going.add(asked);
  }, period);
  return {
    samples,
    async stop() {
      clearInterval(timer);
      await Promise.all(going);
    },
  };
};
