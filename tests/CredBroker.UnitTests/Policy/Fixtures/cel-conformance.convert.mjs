// Made cel-conformance.json: node cel-conformance.convert.mjs cel-conformance.json, with @bufbuild/cel-spec 0.6.1 installed.
// Turns the conformance cases of @bufbuild/cel-spec that fit the broker's subset of CEL into compact JSON.
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { writeFileSync } from 'node:fs';
const whole = ['basic','comparisons','conversions','fields','fp_math','integer_math','lists','logic','macros','namespace','parse','plumbing','string','timestamps','type_deductions'];
const skip = [];
const out = [];
const outside = (t) => {
  const text = JSON.stringify(t);
  if (/google\.protobuf\.\w+\{|TestAllTypes|objectValue|enumValue|proto[23]|NestedEnum|GlobalEnum/.test(text)) return 'protobuf messages and enums';
  if (/get\w+\('[A-Z]\w+\//.test(text)) return 'time zones by name: their rules are the host\'s, not the condition\'s';
  if (/optional|\?\.|\[\?/.test(text)) return 'optionals';
  if (/wrapper/i.test(text)) return 'protobuf wrappers';
  if (/"function":/.test(text)) return 'functions of the host';
  if (t.expr.startsWith('[[') && t.checkOnly) return 'type variables: an empty list is list(dyn) here';
  if (t.container) return 'containers';
  return null;
};
const left = {};
for (const file of tests.suites) for (const section of file.suites ?? []) for (const { original: t } of section.tests ?? []) {
  const reason = !whole.includes(file.name) ? `section ${file.name}` : outside(t);
  if (reason) { left[reason] = (left[reason] ?? 0) + 1; continue; }
  const c = { section: `${file.name}/${section.name}`, expr: t.expr };
  if (t.disableCheck) c.unchecked = true;
  if (t.checkOnly) c.checkOnly = true;
  if (t.typeEnv) c.types = Object.fromEntries(t.typeEnv.map((e) => [e.name, e.ident.type]));
  if (t.bindings) c.bindings = Object.fromEntries(Object.entries(t.bindings).map(([k, v]) => [k, v.value]));
  if (t.evalError || t.anyEvalErrors) c.error = true;
  else if (t.typedResult) { c.value = t.typedResult.result; c.type = t.typedResult.deducedType; }
  else c.value = t.value ?? { boolValue: true };
  out.push(c);
}
const header = {
  source: 'npm @bufbuild/cel-spec 0.6.1, testdata/conformance.js: the conformance cases of github.com/google/cel-spec v0.25.1',
  license: 'Apache-2.0',
  leftOut: left,
};
writeFileSync(process.argv[2], `{\n"header": ${JSON.stringify(header, null, 1)},\n"cases": [\n${out.map((c) => JSON.stringify(c)).join(',\n')}\n]\n}\n`);
console.log(out.length, left);
