import assert from 'node:assert/strict';
import { test } from 'node:test';

import { check } from '../check.mjs';

const source = { TimeGenerated: 'datetime', name: 'string', score: 'real', uuid_g: 'string', bag: 'dynamic' };
const tables = { Target_CL: { TimeGenerated: 'datetime', name: 'string', score: 'real', uuid_g: 'guid', bag: 'dynamic' } };

function codes(text, more = {}) {
  return check({ tables, queries: [{ name: 'transform', kind: 'transform', text, source, target: 'Target_CL', ...more }] })
    .findings.map(found => found.code);
}

const guid = 'source | extend uuid_g = toguid(uuid_g)';

test('what the documentation lists passes', () => {
  assert.deepEqual(codes(guid), []);
  assert.deepEqual(codes(`${guid} | where name !startswith "test" and score in (1.0, 2.0) | project-away bag`), []);
  assert.deepEqual(codes(`let low = 1.0; ${guid} | extend name = iff(isempty(name), "none", tolower(name)) | where score > low`), []);
  assert.deepEqual(codes(`${guid} | extend bag = parse_json('{"a": 1}'), name = tostring(bag.a)`), []);
  assert.deepEqual(codes(`${guid} | extend bag = geo_location(name)`), []);
});

for (const [what, text, code] of [
  ['coalesce', 'extend name = coalesce(name, "x")', 'TRANSFORM_FUNCTION'],
  ['bag_pack', 'extend bag = bag_pack("a", name)', 'TRANSFORM_FUNCTION'],
  ['replace_string', 'extend name = replace_string(name, "a", "b")', 'TRANSFORM_FUNCTION'],
  ['column_ifexists', 'extend name = column_ifexists("name", "")', 'TRANSFORM_FUNCTION'],
  ['a dynamic literal', 'extend bag = dynamic({"a": 1})', 'TRANSFORM_DYNAMIC'],
  ['summarize', 'summarize by TimeGenerated, name, uuid_g', 'TRANSFORM_OPERATOR'],
  ['take', 'take 10', 'TRANSFORM_OPERATOR'],
  ['project-reorder', 'project-reorder name', 'TRANSFORM_OPERATOR'],
  ['has_any', 'where name has_any ("a", "b")', 'TRANSFORM_COMPARISON'],
  ['in~', 'where name in~ ("a", "b")', 'TRANSFORM_COMPARISON'],
  ['hasprefix', 'where name hasprefix "a"', 'TRANSFORM_COMPARISON'],
]) {
  test(`${what} is refused`, () => assert.deepEqual(codes(`${guid} | ${text}`), [code]));
}

test('a parse of 11 columns is refused, one of 10 is not', () => {
  const parse = count => `${guid} | parse name with ${Array.from({ length: count }, (_, index) => `"," c${index}`).join(' ')}`;
  const away = count => ` | project-away ${Array.from({ length: count }, (_, index) => `c${index}`).join(', ')}`;
  assert.deepEqual(codes(parse(10) + away(10)), []);
  assert.deepEqual(codes(parse(11) + away(11)), ['TRANSFORM_PARSE']);
});

test('another table than source cannot be read', () => {
  assert.deepEqual(codes('Target_CL'), ['KS142', 'RESULT']);
});

test('a transformation is one line', () => {
  assert.deepEqual(codes(guid.replace(' | ', '\n| ')), ['TRANSFORM_LINES']);
});

test('the output must fit the table', () => {
  assert.deepEqual(codes('source'), ['TARGET_TYPE']);
  assert.deepEqual(codes(`${guid} | extend extra = 1`), ['TARGET_COLUMN']);
  assert.deepEqual(codes(`${guid} | project-away TimeGenerated`), ['TARGET_TIME']);
  assert.deepEqual(codes(`${guid} | extend TimeGenerated = tostring(TimeGenerated)`), ['TARGET_TIME']);
  assert.deepEqual(codes(guid, { target: 'Other_CL' }), ['TARGET']);
});

test('a standard column of the table is none that a transformation may set', () => {
  assert.deepEqual(codes(`${guid} | extend Type = "x"`), ['TARGET_COLUMN']);
});
