// client.js HOST PORT CALLING CALLED WHAT... -- one association with the requests named: echo, find, worklist, store=FILE,
// move=DESTINATION, mpps (N-CREATE, N-SET), action, event, get, delete; identity adds a user name and a passcode.
'use strict';
const dimse = require('dcmjs-dimse');
const { Client, Dataset } = dimse;
const r = dimse.requests;

const [host, port, calling, called, ...what] = process.argv.slice(2);
const MPPS = '1.2.840.10008.3.1.2.3.3';
const COMMITMENT = '1.2.840.10008.1.20.1';
const COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1';
const PRINTER = '1.2.840.10008.5.1.1.16';
const FILM_BOX = '1.2.840.10008.5.1.1.2';

function withDataset(request, elements) {
  request.setDataset(new Dataset(elements));
  return request;
}

const make = {
  echo: () => [new r.CEchoRequest()],
  find: () => [r.CFindRequest.createStudyFindRequest({ PatientName: 'TEST*' })],
  worklist: () => [r.CFindRequest.createWorklistFindRequest({ PatientName: '*' })],
  store: (file) => [new r.CStoreRequest(file)],
  move: (destination) => [r.CMoveRequest.createStudyMoveRequest(destination, '2.25.7771')],
  mpps: () => [
    withDataset(new r.NCreateRequest(MPPS, '2.25.8881'), { PerformedProcedureStepStatus: 'IN PROGRESS', PerformedStationAETitle: calling, Modality: 'CT' }),
    withDataset(new r.NSetRequest(MPPS, '2.25.8881'), { PerformedProcedureStepStatus: 'COMPLETED' }),
  ],
  action: () => [withDataset(new r.NActionRequest(COMMITMENT, COMMITMENT_INSTANCE, 1), { TransactionUID: '2.25.8882' })],
  event: () => [withDataset(new r.NEventReportRequest(COMMITMENT, COMMITMENT_INSTANCE, 1), { TransactionUID: '2.25.8882' })],
  get: () => [new r.NGetRequest(PRINTER, '1.2.840.10008.5.1.1.17', [])],
  delete: () => [new r.NDeleteRequest(FILM_BOX, '2.25.8883')],
};

const client = new Client();
const options = { associationLingerTimeout: 100 };
for (const word of what) {
  const [name, argument] = word.split('=');
  if (name === 'identity') {
    options.userIdentity = { type: 2, positiveResponseRequested: true, primaryField: 'TESTUSER', secondaryField: 'TESTPASSCODE' };
    continue;
  }
  for (const request of make[name](argument)) client.addRequest(request);
}
client.on('networkError', (e) => console.log('network error', e.message));
client.on('associationRejected', () => console.log('rejected'));
client.send(host, Number(port), calling, called, options);
