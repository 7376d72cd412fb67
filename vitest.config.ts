import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks', disableConsoleIntercept: true } as const;

export default defineConfig({
  test: {
    // As many as there are cores on a small machine: much of what is tested waits for another process.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 30_000,
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
