import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.mjs', import.meta.url));
const run = (input, ...arguments_) => spawnSync(process.execPath, [main, ...arguments_], { input, encoding: 'utf8' });
const request = text => JSON.stringify({ tables: { T_CL: { x: 'string' } }, queries: [{ name: 'q', kind: 'query', text }] });

test('nothing found is exit 0, with a report', () => {
  const { status, stdout } = run(request('T_CL | take 1'), 'check');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout).findings, []);
});

test('a finding is exit 1, with a report', () => {
  const { status, stdout } = run(request('T_CL | where y == 1'), 'check');
  assert.equal(status, 1);
  assert.equal(JSON.parse(stdout).findings[0].code, 'KS142');
});

test('a request that is no request is exit 2, with a word on stderr', () => {
  for (const [input, ...arguments_] of [['{', 'check'], ['{}', 'chek'], ['', 'golden']]) {
    const { status, stderr } = run(input, ...arguments_);
    assert.equal(status, 2);
    assert.notEqual(stderr, '');
  }
});
