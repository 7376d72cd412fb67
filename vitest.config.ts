import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks', disableConsoleIntercept: true } as const;

export default defineConfig({
  test: {
    // Twice the cores of a small machine: a test waits for other processes more than half of its time.
    maxWorkers: 4,
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
          exclude: ['test/e2e/**', 'test/runs/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'runs',
          // Whole runs of every workflow on scripted hosts. They take longer than `npm run check` may.
          isolate: false,
          include: ['test/runs/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Whole clusters on one machine: one at a time, each in its own time.
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
