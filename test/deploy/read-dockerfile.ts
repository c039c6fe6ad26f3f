export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

export interface Stage {
  /** Of the last one, empty. */
  readonly name: string;
  readonly base: string;
  readonly steps: readonly Instruction[];
}

/** The stages of a Dockerfile, with the values of its arguments put in. What it cannot read it refuses. */
export function readDockerfile(text: string): Stage[] {
  const lines = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '').split('\n').filter((line) => line.trim() !== '');
  const values = new Map<string, string>();
  const stages: { name: string; base: string; steps: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    const argument = keyword === 'ARG' && stages.length === 0 ? /^(\w+)=(\S+)$/.exec(rest) : null;
    if (argument) values.set(argument[1] as string, argument[2] as string);
    else if (keyword === 'FROM') {
      const [, base = '', name = ''] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ name, base: base.replaceAll(/\$\{(\w+)\}/g, (_, value: string) => values.get(value) ?? ''), steps: [] });
    } else if (keyword !== '' && stages.length > 0) stages.at(-1)?.steps.push({ keyword, text: rest });
    else throw new Error(`not read: ${line}`);
  }
  return stages;
}

/** `A=b C="d e"` of an ENV or a LABEL. */
export const readPairs = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']));
