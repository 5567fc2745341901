import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.mjs', import.meta.url));
const run = (input, ...files) => spawnSync(process.execPath, [main, ...files], { input, encoding: 'utf8' });
const requests = (...texts) =>
  JSON.stringify(texts.map(text => ({ tables: { T_CL: { x: 'string' } }, queries: [{ name: 'q', kind: 'query', text }] })));

test('nothing found is exit 0, with a report for each request', () => {
  const { status, stdout } = run(requests('T_CL | take 1', 'T_CL | take 2'));
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout).reports.map(report => report.findings), [[], []]);
});

test('a finding is exit 1, in the report on its request', () => {
  const { status, stdout } = run(requests('T_CL | take 1', 'T_CL | where y == 1'));
  assert.equal(status, 1);
  assert.deepEqual(JSON.parse(stdout).reports.map(report => report.findings.map(found => found.code)), [[], ['KS142']]);
});

test('a golden case that differs is exit 1', t => {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'case.json');
  const outcome = expected => {
    writeFileSync(file, JSON.stringify({ about: 'a', transform: 'source', source: { x: 'string' }, rows: [{ x: 'a' }], expected }));
    const { status, stdout } = run('[]', file);
    return [status, JSON.parse(stdout).cases[0].differences.length];
  };
  assert.deepEqual(outcome([{ x: 'a' }]), [0, 0]);
  assert.deepEqual(outcome([{ x: 'b' }]), [1, 1]);
});

test('input that is no request is exit 2, with a word on stderr', () => {
  for (const [input, ...files] of [['{'], ['{}'], ['[]', '/nowhere.json']]) {
    const { status, stderr } = run(input, ...files);
    assert.equal(status, 2);
    assert.notEqual(stderr, '');
  }
});
