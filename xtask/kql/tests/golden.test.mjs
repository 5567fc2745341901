import assert from 'node:assert/strict';
import { test } from 'node:test';

import { golden } from '../golden.mjs';

const sample = {
  about: 'ids become guids',
  transform: 'source | extend id_g = toguid(id_g)',
  source: { TimeGenerated: 'datetime', id_g: 'string' },
  target: { TimeGenerated: 'datetime', id_g: 'guid' },
  rows: [{ TimeGenerated: '2025-01-01T00:00:00Z', id_g: '6F9619FF-8B86-D011-B42D-00C04FC964FF' }],
  expected: [{ TimeGenerated: '2025-01-01T00:00:00.0000000Z', id_g: '6f9619ff-8b86-d011-b42d-00c04fc964ff' }],
};

const differences = change => golden('case.json', { ...sample, ...change }).differences;

test('a case that holds has no differences', () => assert.deepEqual(differences({}), []));

test('a wrong value, a missing column and a missing row are told', () => {
  const [row] = sample.expected;
  assert.match(differences({ expected: [{ ...row, id_g: 'x' }] })[0], /row 0, id_g: .* came out; "x" is expected/);
  assert.match(differences({ expected: [{ ...row, more: 1 }] })[0], /row 0, more: undefined came out/);
  assert.match(differences({ expected: [] })[0], /1 rows came out; 0 are expected/);
});

test('a transformation that does not fit its target is told', () => {
  assert.match(differences({ target: { TimeGenerated: 'datetime', id_g: 'string' } })[0], /TARGET_TYPE/);
});

test('a case that proves nothing, or has a misspelt key, is told', () => {
  assert.match(differences({ rows: [], expected: [] })[0], /no rows/);
  assert.match(differences({ expcted: [] })[0], /unknown keys: expcted/);
  assert.match(differences({ about: undefined })[0], /no "about"/);
});
