// What an ingestion transformation (transformKql of a data collection rule) may say.
//
// Source: Microsoft Learn, "Supported KQL features in Azure Monitor transformations". Azure Monitor compiles these texts
// with a compiler of its own, not with the one that answers queries: what is not listed there is refused at deployment,
// or worse, at ingestion.

import { elements, kindOf, walk } from './language.mjs';

const words = text => new Set(text.trim().split(/\s+/));

const FUNCTIONS = words(`
  binary_and binary_or binary_not binary_shift_left binary_shift_right binary_xor
  tobool todatetime todouble toreal toguid toint tolong tostring totimespan
  ago datetime_add datetime_diff datetime_part dayofmonth dayofweek dayofyear endofday endofmonth endofweek endofyear
  getmonth getyear hourofday make_datetime make_timespan now startofday startofmonth startofweek startofyear weekofyear
  array_concat array_length pack_array pack parse_json parse_xml zip
  abs bin floor ceiling exp exp10 exp2 isfinite isinf isnan log log10 log2 pow round sign
  case iif max_of min_of
  base64_encodestring base64_decodestring countof extract extract_all indexof isempty isnotempty split strcat
  strcat_delim strlen substring tolower toupper hash_sha256
  gettype isnotnull isnull columnifexists parse_cef_dictionary geo_location`);

/** Not on the list, but in transformations that Microsoft ships. */
const FUNCTIONS_IN_USE = words('iff replace not todynamic');

/** Known to be refused, with what to write instead. */
const REPLACEMENTS = {
  coalesce: 'iif(isempty(a), b, a)',
  bag_pack: 'pack()',
  replace_string: 'replace()',
  replace_regex: 'replace()',
  column_ifexists: 'columnifexists()',
  base64_encode_tostring: 'base64_encodestring()',
  base64_decode_tostring: 'base64_decodestring()',
};

const OPERATORS = words('ExtendOperator ProjectOperator PrintOperator FilterOperator ParseOperator ProjectAwayOperator ProjectRenameOperator');

const COMPARISONS = words(`
  EqualExpression NotEqualExpression EqualTildeExpression BangTildeExpression
  ContainsExpression NotContainsExpression ContainsCsExpression NotContainsCsExpression
  HasExpression NotHasExpression HasCsExpression NotHasCsExpression
  StartsWithExpression NotStartsWithExpression StartsWithCsExpression NotStartsWithCsExpression
  EndsWithExpression NotEndsWithExpression EndsWithCsExpression NotEndsWithCsExpression
  MatchesRegexExpression InExpression NotInExpression
  AddExpression SubtractExpression MultiplyExpression DivideExpression ModuloExpression
  LessThanExpression LessThanOrEqualExpression GreaterThanExpression GreaterThanOrEqualExpression
  AndExpression OrExpression`);

/** A `parse` may yield so many columns. */
const PARSE_COLUMNS = 10;

/** What the checks call the functions that only ingestion knows, so that they bind. */
export const INGESTION_ONLY = [
  ['parse_cef_dictionary', '(text:string)', 'dynamic({})'],
  ['geo_location', '(address:string)', 'dynamic({})'],
];

/**
 * Everything in a bound transformation that is outside the documented subset.
 * @yields {[node, code, message]}
 */
export function* outsideTheSubset(code) {
  for (const statement of elements(code.Syntax.Statements)) {
    if (!['LetStatement', 'ExpressionStatement'].includes(kindOf(statement))) {
      yield [statement, 'TRANSFORM_STATEMENT', `${kindOf(statement)} is not available in a transformation`];
    }
  }
  for (const node of walk(code.Syntax)) {
    const kind = kindOf(node);
    if (kind === 'FunctionCallExpression') {
      yield* functionCall(node);
    } else if (kind.endsWith('Operator') && !OPERATORS.has(kind)) {
      yield [node, 'TRANSFORM_OPERATOR', `${kind} is not available in a transformation`];
    } else if (kind.endsWith('Expression') && node.Operator && node.Left && node.Right && !COMPARISONS.has(kind)) {
      yield [node, 'TRANSFORM_COMPARISON', `${node.Operator.Text} is not available in a transformation`];
    } else if (kind === 'DynamicExpression') {
      yield [node, 'TRANSFORM_DYNAMIC', 'a dynamic() literal is not available in a transformation; write parse_json("...")'];
    }
    if (kind === 'ParseOperator') {
      const columns = [...walk(node)].filter(inner => kindOf(inner) === 'NameDeclaration').length;
      if (columns > PARSE_COLUMNS) {
        yield [node, 'TRANSFORM_PARSE', `parse yields ${columns} columns; a transformation may take ${PARSE_COLUMNS} in one statement`];
      }
    }
  }
}

function* functionCall(node) {
  const name = node.Name.SimpleName;
  if (FUNCTIONS.has(name) || FUNCTIONS_IN_USE.has(name) || declaredHere(node, name)) return;
  const instead = REPLACEMENTS[name] ? `; write ${REPLACEMENTS[name]}` : '';
  yield [node.Name, 'TRANSFORM_FUNCTION', `${name}() is not available in a transformation${instead}`];
}

function declaredHere(node, name) {
  const statements = elements(node.Root.Statements);
  return statements.some(statement => kindOf(statement) === 'LetStatement' && statement.Name.SimpleName === name);
}
