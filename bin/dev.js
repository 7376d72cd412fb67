#!/usr/bin/env -S node --import tsx
// Runs the sources. The manifest and dist are passed over: a stale build would answer in their place.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core/config';
import { execute } from '@oclif/core/execute';
import { settings } from '@oclif/core/settings';

const root = fileURLToPath(new URL('..', import.meta.url));
const pjson = JSON.parse(readFileSync(`${root}/package.json`, 'utf8').replaceAll('"./dist/', '"./src/'));

settings.enableAutoTranspile = false;
const plugin = new Plugin({ ignoreManifest: true, isRoot: true, pjson, root });
await plugin.load();
await execute({ loadOptions: { pjson, plugins: new Map([[plugin.name, plugin]]), root } });
