import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Real hosts and clusters that wait more than they compute: two at a time, those that take longest first. All other
 * files of test/e2e fill the machine, or count what fails in a second, and run alone.
 */
const inPairs = [
  'cluster',
  'lab',
  'leaving',
  'addons',
  'monitoring',
  'interrupted',
  'alone',
  'refusals',
  'gpu',
  'broken',
  'images',
  'packages',
  'dns',
  'arm64',
].map((name) => `test/e2e/${name}.test.ts`);

/** Begun last, a file that takes long goes on alone when all others have ended. */
const first = ['test/runs/killed.test.ts', 'test/runs/every-workflow.test.ts', ...inPairs];

/** Within each project. In a fresh clone vitest knows no durations, and goes by the size of files. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const index = first.findIndex((path) => moduleId.endsWith(`/${path}`));
      return index < 0 ? first.length : index;
    };
    return [...new Set(sorted.map(({ project }) => project))].flatMap((project) =>
      sorted.filter((each) => each.project === project).toSorted((one, other) => place(one) - place(other)),
    );
  }
}

const minutes = { testTimeout: 900_000, hookTimeout: 900_000 } as const;

const shared = { pool: 'forks', disableConsoleIntercept: true } as const;

export default defineConfig({
  test: {
    // Twice the cores of a small machine: a test waits for other processes more than half of its time.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // What was translated once is kept in node_modules/.cache, by its content.
    experimental: { fsModuleCache: true, fsModuleCachePath: 'node_modules/.cache/vitest-modules' },
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          // No test replaces a module or leaves anything behind in one, so test files may share what is imported.
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: ['test/arm64/**', 'test/e2e/**', 'test/runs/**', 'test/**/*.runs.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'runs',
          // Whole runs of every workflow on scripted hosts, and all that starts real shells, sshd or kbs itself: longer than `npm run check` may take.
          isolate: false,
          include: ['test/runs/**/*.test.ts', 'test/**/*.runs.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          ...minutes,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: inPairs,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          ...minutes,
          name: 'e2e-in-pairs',
          include: inPairs,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          name: 'arm64',
          // A whole bundle for another processor, run by an emulator. Nothing else waits for it.
          include: ['test/arm64/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
