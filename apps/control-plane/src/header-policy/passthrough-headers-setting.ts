import { plainMessage } from '@gatehouse/config-fields';
import { writableHeaderPolicy } from '@gatehouse/gateway-config';
import { settingSchemas } from '@gatehouse/service-runtime';

/**
 * GATEHOUSE_PASSTHROUGH_HEADERS: what the list of the document may hold, since it may become that list. Of names that differ
 * by case only, the first. What is wrong is said by its place: whatever a variable holds, it is not quoted.
 */
export const passthroughHeadersSetting = settingSchemas.list.transform((names, context): string[] => {
  const unique = names.filter((name, index) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) === index);
  const { error } = writableHeaderPolicy.safeParse({ mode: 'list', list: unique }, { error: plainMessage });
  for (const { path: [, index], message } of error?.issues ?? []) {
    const entry = typeof index === 'number' ? `entry ${names.indexOf(unique[index] as string) + 1} ` : '';
    context.addIssue({ code: 'custom', message: `${entry}${message}` });
  }
  return unique;
});
