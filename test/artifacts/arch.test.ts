import { describe, expect, it } from 'vitest';
import { archOfMachine, archOfThisMachine } from '../../src/artifacts/arch.js';
import { toolchainFor } from '../../src/artifacts/build/toolchain.js';

it.each([
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armv7l', undefined],
  ['riscv64', undefined],
  ['', undefined],
])('a machine that calls itself %j is %s', (machine, arch) => {
  expect(archOfMachine(machine)).toBe(arch);
});

it('a machine that kbs cannot build on is refused', () => {
  expect(archOfThisMachine('x64')).toBe('amd64');
  expect(() => archOfThisMachine('riscv64')).toThrow('this machine is riscv64');
});

describe('C is compiled', () => {
  it.each(['amd64', 'arm64'] as const)('for %s on such a machine by its own compiler', (arch) => {
    expect(toolchainFor(arch, arch)).toEqual({
      gcc: 'gcc',
      packages: { gcc: 'gcc', libc: 'libc6-dev' },
      cross: false,
    });
  });

  it.each([
    ['arm64', 'amd64', 'aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'],
    ['amd64', 'arm64', 'x86_64-linux-gnu-gcc', 'gcc-x86-64-linux-gnu', 'libc6-dev-amd64-cross'],
  ] as const)('for %s on %s by %s', (arch, here, gcc, compiler, libc) => {
    expect(toolchainFor(arch, here)).toEqual({ gcc, packages: { gcc: compiler, libc }, cross: true });
  });
});
