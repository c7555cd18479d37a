/**
 * Drives a FHIR server with fhir-kit-client and prints what it saw as one JSON object.
 *
 * usage: node drive.mjs BASE_URL TOKEN
 */
import { Client } from 'fhir-kit-client';

const [baseUrl, token] = process.argv.slice(2);
const client = new Client({ baseUrl, customHeaders: { Authorization: `Bearer ${token}` } });

const statement = await client.capabilityStatement();
let page = await client.search({
  resourceType: 'MedicationRequest',
  searchParams: { _count: 1, status: 'active' },
});
const total = page.total;
const found = [];
while (page) {
  found.push(...page.entry.map(({ resource }) => resource.id));
  page = await client.nextPage({ bundle: page });
}
const order = await client.read({ resourceType: 'MedicationRequest', id: found[0] });
const version = await client.vread({ resourceType: 'MedicationRequest', id: found[0], version: '1' });
const history = await client.history({ resourceType: 'MedicationRequest', id: found[0] });
const patient = await client.resolve({ reference: order.subject.reference });
const posted = await client.search({
  resourceType: 'Patient',
  searchParams: { name: 'maria' },
  options: { postSearch: true },
});
const composition = (await client.search({ resourceType: 'Composition' })).entry[0].resource;
const document = await client.operation({
  name: '$document', resourceType: 'Composition', id: composition.id, method: 'GET',
});
const created = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', active: true },
});
const updated = await client.update({
  resourceType: 'Patient',
  id: created.id,
  body: { ...created, active: false },
});
const batch = await client.batch({
  body: {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: `Patient/${created.id}` } }],
  },
});
let refused;
try {
  await client.read({ resourceType: 'Patient', id: 'nobody' });
} catch (error) {
  refused = { status: error.response.status, type: error.response.data.resourceType };
}

console.log(JSON.stringify({
  fhirVersion: statement.fhirVersion,
  total,
  found,
  read: order.id,
  version: version.meta.versionId,
  history: history.total,
  patient: patient.name[0].text,
  posted: posted.total,
  document: document.entry[0].resource.resourceType,
  updated: updated.meta.versionId,
  batch: batch.entry[0].response.status,
  refused,
}));
