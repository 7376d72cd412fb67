// Exits with 0 where node_modules holds what package-lock.json names, and with 1 where it does not: `npm ci` is due.
// Plain JavaScript that imports no package: there may be none yet. `npm ls` would compare with the ranges of
// package.json files alone.
import { existsSync, readFileSync } from 'node:fs';

const packagesIn = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {});
const { '': _project, ...locked } = packagesIn('package-lock.json');
// npm lists here what it installed.
const installed = packagesIn('node_modules/.package-lock.json');

// Of the optional ones a machine installs those of its own platform.
const isInstalled = ([path, { version, integrity, optional }]) =>
  installed[path] === undefined
    ? optional === true
    : installed[path].version === version && installed[path].integrity === integrity && existsSync(path);

const isSame = Object.entries(locked).every(isInstalled) && Object.keys(installed).every((path) => path in locked);
process.exitCode = isSame ? 0 : 1;
