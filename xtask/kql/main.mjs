// The command line: `node main.mjs check [FILE]` and `node main.mjs golden FILE...`; without FILE, check reads stdin.
// Prints a JSON report. Exit 0: nothing found; 1: something found; 2: the request itself is no good.

import { readFileSync } from 'node:fs';

import { check } from './check.mjs';
import { golden } from './golden.mjs';

const [command, ...files] = process.argv.slice(2);

try {
  if (command === 'check') {
    const report = check(JSON.parse(readFileSync(files[0] ?? 0, 'utf8')));
    finish(report, report.findings.length > 0);
  } else if (command === 'golden' && files.length > 0) {
    const cases = files.map(file => golden(file, JSON.parse(readFileSync(file, 'utf8'))));
    finish({ cases }, cases.some(outcome => outcome.differences.length > 0));
  } else {
    throw new Error('usage: node main.mjs check [FILE] | golden FILE...');
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function finish(report, found) {
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = found ? 1 : 0;
}
