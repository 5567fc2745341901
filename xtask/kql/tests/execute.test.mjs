import assert from 'node:assert/strict';
import { test } from 'node:test';

import { execute } from '../execute.mjs';

const source = { t: 'datetime', s: 'string', r: 'real', n: 'long', b: 'boolean', d: 'dynamic' };
const row = { t: '2025-03-04T05:06:07.1234567Z', s: 'Alice Smith', r: 2.5, n: 7, b: true, d: { a: [1, { x: 'y' }] } };

function run(text, rows = [row], now) {
  return JSON.parse(JSON.stringify(execute(text, source, rows, now)));
}

function value(expression, rows, now) {
  return run(`source | project it = ${expression}`, rows, now)[0].it;
}

test('source gives what is declared, typed, and drops the rest', () => {
  assert.deepEqual(run('source', [{ ...row, extra: 1 }]), [row]);
  assert.deepEqual(run('source', [{ n: '12', r: 'x', s: 5, b: 'true' }]), [{ t: null, s: '5', r: null, n: 12, b: true, d: null }]);
});

test('a datetime keeps its seven digits and its zone', () => {
  assert.equal(value('t'), '2025-03-04T05:06:07.1234567Z');
  assert.equal(value('t', [{ t: '2025-03-04 05:06:07+02:00' }]), '2025-03-04T03:06:07.0000000Z');
  assert.equal(value('t', [{ t: '2022-06-23 12:47:05 UTC' }]), '2022-06-23T12:47:05.0000000Z');
  assert.equal(value('t', [{ t: '2025-02-30T00:00:00Z' }]), null);
  assert.equal(value('t + 1d - 2h'), '2025-03-05T03:06:07.1234567Z');
  assert.equal(value('bin(t, 1h)'), '2025-03-04T05:00:00.0000000Z');
  assert.equal(value('ago(1h)', [row], '2025-01-01T00:00:00Z'), '2024-12-31T23:00:00.0000000Z');
});

test('where keeps what is true, not what is null', () => {
  const rows = [{ n: 1 }, { n: 5 }, {}];
  assert.deepEqual(run('source | where n > 2 | project n', rows), [{ n: 5 }]);
  assert.deepEqual(run('source | where not(n > 2) | project n', rows), [{ n: 1 }]);
  assert.deepEqual(run('source | where n != 5 | project n', rows), [{ n: 1 }, { n: null }]);
  assert.deepEqual(run('source | where isnull(n) or n == 1 | project n', rows), [{ n: 1 }, { n: null }]);
});

test('string operators', () => {
  const is = condition => run(`source | where ${condition}`).length === 1;
  assert.ok(is('s has "smith" and s !has "smit" and s contains "SMIT" and s !contains_cs "SMIT"'));
  assert.ok(is('s startswith "alice" and s endswith_cs "Smith" and s =~ "alice smith" and s !~ "alice"'));
  assert.ok(is('s matches regex "^[A-Z][a-z]+ S" and s in ("x", "Alice Smith") and s !in ("x")'));
  assert.ok(!is('s == "alice smith"'));
});

test('extend sees the row before it, project names as the language service does', () => {
  assert.deepEqual(run('source | extend n = n + 1, r = todouble(n) | project n, r'), [{ n: 8, r: 7 }]);
  assert.deepEqual(run('source | project d.a[1].x, toupper(s)'), [{ d_a_1_x: 'y', Column1: 'ALICE SMITH' }]);
  assert.deepEqual(run('source | project-rename who = s | project-away t, r, n, b, d*'), [{ who: 'Alice Smith' }]);
});

test('scalar functions', () => {
  assert.equal(value('toguid("6F9619FF-8B86-D011-B42D-00C04FC964FF")'), '6f9619ff-8b86-d011-b42d-00c04fc964ff');
  assert.equal(value('toguid("6F9619FF8B86D011B42D00C04FC964FF")'), '6f9619ff-8b86-d011-b42d-00c04fc964ff');
  assert.equal(value('toguid(s)'), null);
  assert.equal(value('strcat_delim("-", substring(s, 0, 5), tostring(split(s, " ")[1]), n)'), 'Alice-Smith-7');
  assert.equal(value('extract("([a-z]+) S", 1, s)'), 'lice');
  assert.equal(value('replace("(A)(l)", "\\\\2\\\\1", s)'), 'lAice Smith');
  assert.equal(value('case(n > 9, "high", b, "true", "none")'), 'true');
  assert.equal(value('tostring(parse_json("{\\"k\\":[1]}").k)'), '[1]');
  assert.equal(value('hash_sha256("World")'), '78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524');
  assert.equal(value('7 / 2'), 3);
  assert.equal(value('columnifexists("nope", "else")'), 'else');
});

test('a scalar let is known to what follows', () => {
  assert.deepEqual(run('let floor_ = 3; source | where n > floor_ | project n'), [{ n: 7 }]);
});

for (const [what, text] of [
  ['an operator', 'source | parse s with "Alice " rest'],
  ['a function', 'source | extend x = log10(r)'],
  ['a comparison', 'source | where n % 2 == 1'],
  ['a text of a real', 'source | extend x = tostring(r)'],
  ['an uncertain word boundary', 'source | where s has "alice_smith"'],
  ['a pattern that RE2 reads otherwise', 'source | where s matches regex "(?=A)"'],
  ['an uncertain date', 'source | extend x = todatetime("04.03.2025")'],
  ['the time without a clock', 'source | extend x = now()'],
  ['a function of its own', 'let f = (x:string) { x }; source | extend y = f(s)'],
  ['a print', 'print x = 1'],
]) {
  test(`${what} that it does not know stops it`, () => assert.throws(() => run(text), /is not executed here/));
}

test('what does not bind is not executed', () => {
  assert.throws(() => run('source | where nothing == 1'), /does not refer to any known column/);
});
