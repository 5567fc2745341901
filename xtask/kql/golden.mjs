// Golden rows: a case says what a transformation must make of rows.

import { check } from './check.mjs';
import { execute } from './execute.mjs';

const KEYS = ['about', 'transform', 'source', 'target', 'rows', 'expected', 'now'];

/**
 * @param sample {about, transform, source: {column: type}, target?: {column: type}, rows, expected, now?};
 *   with a target the transformation is checked against it as a data collection rule would be
 * @returns {file, differences: [string]}
 */
export function golden(file, sample) {
  try {
    return { file, differences: [...compare(sample)] };
  } catch (error) {
    return { file, differences: [error.message] };
  }
}

function* compare(sample) {
  const unknown = Object.keys(sample).filter(key => !KEYS.includes(key));
  if (unknown.length > 0) yield `unknown keys: ${unknown.join(', ')}`;
  for (const key of ['about', 'transform', 'source', 'rows', 'expected']) {
    if (sample[key] === undefined) throw new Error(`the case has no "${key}"`);
  }
  if (sample.rows.length === 0) yield 'the case has no rows';
  if (sample.target) {
    const query = { name: 'transform', kind: 'transform', text: sample.transform, source: sample.source, target: 'target' };
    for (const found of check({ tables: { target: sample.target }, queries: [query] }).findings) {
      yield `${found.code} at column ${found.column}: ${found.message}`;
    }
  }
  const made = JSON.parse(JSON.stringify(execute(sample.transform, sample.source, sample.rows, sample.now)));
  if (made.length !== sample.expected.length) {
    yield `${made.length} rows came out; ${sample.expected.length} are expected`;
    return;
  }
  for (const [index, row] of made.entries()) {
    const expected = sample.expected[index];
    for (const column of new Set([...Object.keys(row), ...Object.keys(expected)])) {
      const [is, should] = [row[column], expected[column]].map(value => JSON.stringify(value));
      if (is !== should) yield `row ${index}, ${column}: ${is} came out; ${should} is expected`;
    }
  }
}
