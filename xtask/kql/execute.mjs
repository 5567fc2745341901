// Executes an ingestion transformation on rows, by walking the tree that Microsoft's language service makes of it.
//
// It knows what the shipped transformations and the usual ones of users need, and throws on anything else: a golden row
// is never a guess. Names and types of columns are those that the language service gives each step.

import { BINARY } from './comparisons.mjs';
import { FUNCTIONS } from './functions.mjs';
import { bind, columnsOf, elements, kindOf, tableSymbol, workspace } from './language.mjs';
import { declared, Instant, isNull, spanOf, toBool, toDynamic, toInstant, toLong, toReal, unsupported } from './values.mjs';

/**
 * @param text the transformation
 * @param source {column: type} of the stream
 * @param rows JSON objects as the sender posts them; fields that the stream does not declare are dropped
 * @param now what now() is, or nothing where the transformation may not ask
 * @returns rows with every column of the output, null where there is no value
 */
export function execute(text, source, rows, now) {
  const code = bind(text, workspace([tableSymbol('source', source)]));
  const errors = elements(code.GetDiagnostics()).filter(found => found.Severity === 'Error');
  if (errors.length > 0) throw new Error(errors.map(found => found.Message).join(' '));

  const context = { names: new Map(), now: now ? toInstant(now) : null };
  let result = null;
  for (const statement of elements(code.Syntax.Statements)) {
    if (kindOf(statement) === 'LetStatement') {
      context.names.set(statement.Name.SimpleName, evaluate(statement.Expression, {}, context));
    } else if (kindOf(statement) === 'ExpressionStatement' && result === null) {
      result = pipeline(statement.Expression, source, rows, context);
    } else {
      unsupported(`the statement ${statement}`);
    }
  }
  return result ?? unsupported('a transformation without a result');
}

function pipeline(node, source, rows, context) {
  if (kindOf(node) === 'NameReference' && node.SimpleName === 'source') {
    const columns = Object.entries(source);
    return rows.map(row => Object.fromEntries(columns.map(([name, type]) => [name, declared(row[name], type)])));
  }
  if (kindOf(node) !== 'PipeExpression') return unsupported(`the source ${node}`);
  const input = pipeline(node.Expression, source, rows, context);
  const before = columnsOf(node.Expression.ResultType).map(([name]) => name);
  const after = columnsOf(node.ResultType).map(([name]) => name);
  const step = STEPS[kindOf(node.Operator)] ?? (() => unsupported(`the operator ${kindOf(node.Operator)}`));
  return step(node.Operator, input, context, before, after);
}

const STEPS = {
  FilterOperator: (operator, rows, context) => rows.filter(row => toBool(evaluate(operator.Condition, row, context)) === true),

  // Every expression of one extend sees the row as it was before it.
  ExtendOperator: (operator, rows, context) => rows.map(row => {
    const added = elements(operator.Expressions).map(named => {
      if (kindOf(named) !== 'SimpleNamedExpression') return unsupported(`extend without a name: ${named}`);
      return [named.Name.SimpleName, evaluate(named.Expression, row, context)];
    });
    return { ...row, ...Object.fromEntries(added) };
  }),

  ProjectOperator: (operator, rows, context, before, after) => rows.map(row => {
    const values = elements(operator.Expressions).map(item => {
      const expression = kindOf(item) === 'SimpleNamedExpression' ? item.Expression : item;
      return evaluate(expression, row, context);
    });
    return Object.fromEntries(after.map((name, index) => [name, values[index]]));
  }),

  ProjectAwayOperator: (operator, rows, context, before, after) => rows.map(row => Object.fromEntries(after.map(name => [name, row[name]]))),

  // A renamed column keeps its place.
  ProjectRenameOperator: (operator, rows, context, before, after) =>
    rows.map(row => Object.fromEntries(after.map((name, index) => [name, row[before[index]]]))),
};

function evaluate(node, row, context) {
  const kind = kindOf(node);
  const known = EXPRESSIONS[kind];
  if (known) return known(node, row, context);
  const binary = BINARY[kind.replace(/Expression$/, '')];
  if (!binary) return unsupported(`${kind} (${node})`);
  const whole = ['long', 'int'].includes(node.ResultType?.Name);
  return binary(evaluate(node.Left, row, context), evaluate(node.Right, row, context), whole);
}

const literal = convert => node => convert(node.toString().trim());

const EXPRESSIONS = {
  StringLiteralExpression: node => node.LiteralValue,
  LongLiteralExpression: literal(toLong),
  RealLiteralExpression: literal(toReal),
  BooleanLiteralExpression: literal(toBool),
  DateTimeLiteralExpression: literal(text => toInstant(text.replace(/^datetime\(|\)$/g, ''))),
  TimespanLiteralExpression: literal(text => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(d|h|m|s|ms)$/.exec(text) ?? unsupported(`the timespan ${text}`);
    return spanOf(Number(amount), unit);
  }),
  ParenthesizedExpression: (node, row, context) => evaluate(node.Expression, row, context),
  UnaryMinusExpression: (node, row, context) => {
    const value = evaluate(node.Expression, row, context);
    return isNull(value) ? null : -value;
  },
  NameReference: (node, row, context) => {
    const name = node.SimpleName;
    if (Object.hasOwn(row, name)) return row[name];
    return context.names.has(name) ? context.names.get(name) : unsupported(`the name ${name}`);
  },
  AndExpression: (node, row, context) => {
    const [left, right] = [node.Left, node.Right].map(side => toBool(evaluate(side, row, context)));
    if (left === false || right === false) return false;
    return isNull(left) || isNull(right) ? null : true;
  },
  OrExpression: (node, row, context) => {
    const [left, right] = [node.Left, node.Right].map(side => toBool(evaluate(side, row, context)));
    if (left === true || right === true) return true;
    return isNull(left) || isNull(right) ? null : false;
  },
  InExpression: (node, row, context) => isAmong(node, row, context),
  NotInExpression: (node, row, context) => !isAmong(node, row, context),
  PathExpression: (node, row, context) => member(evaluate(node.Expression, row, context), node.Selector.SimpleName),
  ElementExpression: (node, row, context) =>
    member(evaluate(node.Expression, row, context), evaluate(node.Selector.Expression, row, context)),
  FunctionCallExpression: call,
};

function isAmong(node, row, context) {
  const value = evaluate(node.Left, row, context);
  return elements(node.Right.Expressions).some(item => BINARY.Equal(value, evaluate(item, row, context)) === true);
}

function member(value, key) {
  const bag = toDynamic(value);
  if (isNull(bag) || typeof bag !== 'object') return null;
  return bag[Array.isArray(bag) && key < 0 ? bag.length + key : key] ?? null;
}

function call(node, row, context) {
  const name = node.Name.SimpleName;
  const expressions = elements(node.ArgumentList.Expressions);
  const lazy = LAZY[name];
  if (lazy) return lazy(expressions, row, context);
  const compute = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : unsupported(`the function ${name}()`);
  // The text of a number depends on its type, which the value does not show.
  if (expressions.some(item => item.ResultType?.Name === 'real') && TEXTS.has(name)) {
    return unsupported(`${name}() of a real (convert it with tolong() first)`);
  }
  return compute(...expressions.map(item => evaluate(item, row, context)));
}

const TEXTS = new Set(['tostring', 'strcat', 'strcat_delim', 'hash_sha256', 'strlen', 'tolower', 'toupper', 'toguid']);

/** Functions that do not look at all their arguments, or at more than them. */
const LAZY = {
  iff: ([test, yes, no], row, context) => evaluate(toBool(evaluate(test, row, context)) === true ? yes : no, row, context),
  iif: (expressions, row, context) => LAZY.iff(expressions, row, context),
  case: (expressions, row, context) => {
    for (let index = 0; index + 1 < expressions.length; index += 2) {
      if (toBool(evaluate(expressions[index], row, context)) === true) return evaluate(expressions[index + 1], row, context);
    }
    return evaluate(expressions.at(-1), row, context);
  },
  columnifexists: ([name, otherwise], row, context) => {
    const column = evaluate(name, row, context);
    return Object.hasOwn(row, column) ? row[column] : evaluate(otherwise, row, context);
  },
  now: (expressions, row, context) => expressions.length === 0 && context.now ? context.now : unsupported('now() without a "now" in the case'),
  ago: ([span], row, context) => new Instant(LAZY.now([], row, context).ticks - evaluate(span, row, context).ticks),
};
