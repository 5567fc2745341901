// Microsoft's Kusto language service (@kusto/language-service-next), and the few of its names that the checks need.
//
// The package is C# compiled by Bridge.NET: it makes globals instead of exports, and numbers overloaded constructors
// ($ctor4, $ctor16). The numbers change between versions, therefore package.json pins one version exactly and names
// the digests of the two files that are loaded.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const installed = process.env.KQL_PACKAGES ?? join(here, '../../target/tools/kql/node_modules');
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const folder = join(installed, '@kusto/language-service-next');

if (!existsSync(folder)) {
  throw new Error(`${folder} is missing: run \`cargo xtask infra --check\`, which installs it, or name its node_modules in KQL_PACKAGES`);
}
for (const [file, digest] of Object.entries(manifest.digests)) {
  const found = createHash('sha256').update(readFileSync(join(folder, file))).digest('hex');
  if (found !== digest) {
    throw new Error(`${join(folder, file)} is not the file that xtask/kql/package.json names: its SHA-256 is ${found}; delete the folder and install again`);
  }
}
const require = createRequire(import.meta.url);
for (const file of Object.keys(manifest.digests)) {
  require(join(folder, file));
}

const { Kusto, System } = globalThis;
const { Symbols } = Kusto.Language;

/** Types of columns: what tables, streams and Azure say, and what the language service calls them. */
const SCALARS = {
  string: 'String', long: 'Long', int: 'Int', real: 'Real', double: 'Real', decimal: 'Decimal', bool: 'Bool', boolean: 'Bool',
  datetime: 'DateTime', dynamic: 'Dynamic', guid: 'Guid', timespan: 'TimeSpan',
};

/** One spelling for a type that has two. */
export const canonicalType = type => ({ double: 'real', boolean: 'bool' })[type] ?? type;

/** The name of a node's kind, `FilterOperator` for example. */
export const kindOf = node => System.Enum.toString(Kusto.Language.Syntax.SyntaxKind, node.Kind);

/** The elements of a list of the language service; separated lists give up their separators. */
export function elements(list) {
  const found = [];
  for (let index = 0; index < list.Count; index++) {
    const item = list.getItem(index);
    found.push(item.Element$1 ?? item);
  }
  return found;
}

/** Every node of a tree, parents first. */
export function* walk(node) {
  if (!node) return;
  yield node;
  for (let index = 0; index < node.ChildCount; index++) {
    yield* walk(node.GetChild(index));
  }
}

/** `[[name, type], ...]` of a tabular result, or null. */
export function columnsOf(type) {
  if (!type?.Columns) return null;
  return elements(type.Columns).map(column => [column.Name, column.Type.Name]);
}

export function tableSymbol(name, columns) {
  const symbols = Object.entries(columns).map(([column, type]) => {
    const scalar = SCALARS[type];
    if (!scalar) throw new Error(`table ${name}: column ${column} has the unknown type ${type}`);
    return new Symbols.ColumnSymbol(column, Symbols.ScalarTypes[scalar], null, null, null, null);
  });
  return new Symbols.TableSymbol.$ctor4(name, symbols);
}

/** @param parameters as in a saved function, `(limit:int = 10)`; empty for none */
export function functionSymbol(name, parameters, body) {
  return new Symbols.FunctionSymbol.$ctor16(name, parameters || '()', `{ ${body}\n}`, null);
}

/** A workspace with these tables and functions. */
export function workspace(symbols) {
  return Kusto.Language.GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols));
}

/** The text, parsed and bound. */
export const bind = (text, globals) => Kusto.Language.KustoCode.ParseAndAnalyze(text, globals);
