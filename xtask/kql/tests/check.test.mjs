import assert from 'node:assert/strict';
import { test } from 'node:test';

import { check } from '../check.mjs';

const tables = { Signin_CL: { Id: 'string', Score: 'real', Raw: 'dynamic' } };

function codes(request) {
  return check({ tables, ...request }).findings.map(found => found.code);
}

const query = text => ({ queries: [{ name: 'it', kind: 'query', text }] });

test('a query over known columns passes, the standard columns included', () => {
  assert.deepEqual(codes(query('Signin_CL | where TimeGenerated > ago(1d) and Score > 2 | summarize count() by Id, TenantId, _ResourceId')), []);
});

test('an unknown column is found, with its place', () => {
  const [found] = check({ tables, ...query('Signin_CL\n| where Scor > 2') }).findings;
  assert.deepEqual([found.query, found.line, found.column, found.near], ['it', 2, 9, 'Scor']);
});

test('an unknown table, an unknown function and broken syntax are found', () => {
  assert.deepEqual(codes(query('Signon_CL | take 1')), ['KS204']);
  assert.deepEqual(codes(query('Signin_CL | extend x = tostringg(Id)')), ['KS211']);
  assert.notDeepEqual(codes(query('Signin_CL | where')), []);
});

test('a text that gives no table is found', () => {
  assert.deepEqual(codes(query('1 + 1')), ['RESULT']);
});

test('a saved function is bound itself, and callable with its parameters', () => {
  const functions = [{ name: 'Signins', parameters: '(least:real = 1.0)', body: 'Signin_CL | where Score >= least' }];
  assert.deepEqual(codes({ functions, ...query('Signins(3.0) | project Id') }), []);
  assert.deepEqual(codes({ functions: [{ name: 'Broken', body: 'Signin_CL | where Nothing == 1' }] }), ['KS142']);
});

test('a column that a function does not give is found in the query that reads it', () => {
  const functions = [{ name: 'Signins', body: 'Signin_CL | project Identity = Id' }];
  assert.deepEqual(codes({ functions, ...query('Signins | where Id == "1"') }), ['KS142']);
});

test('an absent table passes in a fuzzy union only', () => {
  const fuzzy = 'union isfuzzy=true (datatable(Id:string)[]), Gone_CL | project Id';
  assert.deepEqual(codes({ absent: ['Gone_CL'], ...query(fuzzy) }), []);
  assert.deepEqual(codes(query(fuzzy)), ['KS205']);
  assert.deepEqual(codes({ absent: ['Gone_CL'], ...query('Gone_CL | project Id') }), ['KS204']);
});

test('a request with an unknown type or kind is refused', () => {
  assert.throws(() => check({ tables: { T_CL: { x: 'text' } } }), /unknown type text/);
  assert.throws(() => check({ queries: [{ name: 'it', kind: 'dcr', text: 'T' }] }), /unknown kind dcr/);
});
