// Binds KQL texts against the tables and functions that the caller describes, and says what is wrong with them.

import { INGESTION_ONLY, outsideTheSubset } from './ingestion.mjs';
import { bind, canonicalType, columnsOf, elements, functionSymbol, tableSymbol, workspace } from './language.mjs';

/** The columns that Azure Monitor gives every custom table. */
const STANDARD_COLUMNS = {
  TimeGenerated: 'datetime', TenantId: 'string', SourceSystem: 'string', Type: 'string', _ResourceId: 'string',
  _SubscriptionId: 'string', _ItemId: 'string', _BilledSize: 'real', _IsBillable: 'string', _TimeReceived: 'datetime',
};

/** The language service's warning about a table of a fuzzy union that does not exist. */
const FUZZY_TABLE = 'KS205';

/**
 * @param request {tables: {name: {column: type}}, functions: [{name, parameters?, body}],
 *   queries: [{name, kind: 'query'|'function'|'transform', text, source?: {column: type}, target?: table}],
 *   absent: [table]}; what reads an absent table must do it in a fuzzy union
 * @returns {findings: [{query, code, line, column, near, message}], results: [{query, columns: [[name, type]] | null}]}
 */
export function check(request) {
  const { tables = {}, functions = [], queries = [], absent = [] } = request;
  const globals = workspace([
    ...Object.entries(tables).map(([name, columns]) => tableSymbol(name, { ...STANDARD_COLUMNS, ...columns })),
    ...functions.map(saved => functionSymbol(saved.name, saved.parameters, saved.body)),
  ]);
  const bodies = functions.map(saved => ({ name: `function ${saved.name}`, kind: 'function', text: asQuery(saved) }));
  const findings = [];
  const results = [];
  for (const query of [...bodies, ...queries]) {
    const outcome = query.kind === 'transform' ? checkTransform(query, tables) : checkQuery(query, globals);
    findings.push(...outcome.findings.filter(found => !(found.code === FUZZY_TABLE && absent.includes(found.near))));
    results.push({ query: query.name, columns: outcome.columns });
  }
  return { findings, results };
}

/** A saved function as a text of its own: its parameters become those of a local function that is called once. */
function asQuery(saved) {
  if (!saved.parameters || saved.parameters === '()') return saved.body;
  return `let ${saved.name} = ${saved.parameters} { ${saved.body}\n};\n${saved.name}()`;
}

function checkQuery(query, globals) {
  if (!['query', 'function'].includes(query.kind)) throw new Error(`${query.name}: unknown kind ${query.kind}`);
  const code = bind(query.text, globals);
  const findings = diagnostics(query, code);
  const columns = columnsOf(code.ResultType);
  if (columns === null && findings.length === 0) {
    findings.push(finding(query, null, 'RESULT', 'the text gives no table'));
  }
  return { findings, columns };
}

function checkTransform(query, tables) {
  const globals = workspace([
    tableSymbol('source', query.source ?? {}),
    ...INGESTION_ONLY.map(([name, parameters, body]) => functionSymbol(name, parameters, body)),
  ]);
  const code = bind(query.text, globals);
  const findings = diagnostics(query, code);
  for (const [node, rule, message] of outsideTheSubset(code)) {
    findings.push(finding(query, node, rule, message));
  }
  if (/[\r\n]/.test(query.text)) {
    findings.push(finding(query, null, 'TRANSFORM_LINES', 'a transformation is one line'));
  }
  const columns = columnsOf(code.ResultType);
  if (columns === null) {
    findings.push(finding(query, null, 'RESULT', 'the text gives no table'));
    return { findings, columns };
  }
  const declared = tables[query.target];
  if (!declared) {
    findings.push(finding(query, null, 'TARGET', `the table ${query.target} is not among the tables`));
    return { findings, columns };
  }
  findings.push(...fit(query, columns, declared).map(([rule, message]) => finding(query, null, rule, message)));
  return { findings, columns };
}

/** What of a transformation's output the table would drop or refuse. A column that it does not set stays empty: no finding. */
function fit(query, columns, declared) {
  const wrong = [];
  const time = columns.find(([name]) => name === 'TimeGenerated');
  if (!time) wrong.push(['TARGET_TIME', 'the output has no TimeGenerated']);
  else if (time[1] !== 'datetime') wrong.push(['TARGET_TIME', `TimeGenerated is ${time[1]}; it must be datetime`]);
  for (const [name, type] of columns) {
    if (name === 'TimeGenerated') continue;
    if (!(name in declared)) {
      wrong.push(['TARGET_COLUMN', `${query.target} has no column ${name}: it would be dropped`]);
    } else if (canonicalType(declared[name]) !== canonicalType(type)) {
      wrong.push(['TARGET_TYPE', `the output ${name} is ${type}; ${query.target} wants ${canonicalType(declared[name])}`]);
    }
  }
  return wrong;
}

/** Errors and warnings of the language service alike: a warning is a query that does something else than it seems to. */
function diagnostics(query, code) {
  const said = elements(code.GetDiagnostics()).filter(found => ['Error', 'Warning'].includes(found.Severity));
  return said.map(found => locate(query, found.Start, found.Length, found.Code, found.Message));
}

function finding(query, node, code, message) {
  if (!node) return { query: query.name, code, line: 1, column: 1, near: '', message };
  return locate(query, node.TextStart, node.Width, code, message);
}

function locate(query, start, length, code, message) {
  const before = query.text.slice(0, start).split('\n');
  const near = query.text.slice(start, start + length).slice(0, 80);
  return { query: query.name, code, line: before.length, column: before.at(-1).length + 1, near, message };
}

