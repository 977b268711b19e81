// node peer.js FILE: evaluates the expressions of a JSON array, and prints a line for each: its type and value, or "error".
import { readFileSync } from 'node:fs';
import { run } from '@bufbuild/cel';

const said = (value) => {
  switch (typeof value) {
    case 'boolean':
      return `bool ${value}`;
    case 'bigint':
      return `int ${value}`;
    case 'number':
      return `double ${Buffer.from(new Float64Array([value]).buffer).toString('hex')}`;
    case 'string':
      return `string ${Buffer.from(value).toString('hex')}`;
    default:
      return value?.constructor?.name === 'Uint' ? `uint ${value.value}` : 'error';
  }
};

for (const expression of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  let line;
  try {
    line = said(run(expression));
  } catch {
    line = 'error';
  }
  console.log(line);
}
