// The command line: `node main.mjs [GOLDEN...] < REQUESTS`, where REQUESTS is a JSON array of what check.mjs takes and each
// GOLDEN is the file of a golden case. Prints {reports, cases} as JSON.
// Exit 0: nothing found; 1: something found; 2: the input is no good.

import { readFileSync } from 'node:fs';

import { check } from './check.mjs';
import { golden } from './golden.mjs';

try {
  const requests = JSON.parse(readFileSync(0, 'utf8'));
  if (!Array.isArray(requests)) throw new Error('usage: node main.mjs [GOLDEN...] < REQUESTS (a JSON array)');
  const reports = requests.map(check);
  const cases = process.argv.slice(2).map(file => golden(file, JSON.parse(readFileSync(file, 'utf8'))));
  const found = reports.some(report => report.findings.length > 0) || cases.some(outcome => outcome.differences.length > 0);
  process.stdout.write(`${JSON.stringify({ reports, cases })}\n`);
  process.exitCode = found ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
