// server.js PORT -- an SCP that answers every service: AE title DCMJS, two made-up studies.
'use strict';
const dimse = require('dcmjs-dimse');
const { Dataset, Scp, Server } = dimse;
const r = dimse.responses;
const c = dimse.constants;

class Peer extends Scp {
  associationRequested(association) {
    if (association.getCalledAeTitle() !== 'DCMJS') {
      this.sendAssociationReject(c.RejectResult.Permanent, c.RejectSource.ServiceUser, c.RejectReason.CalledAeNotRecognized);
      return;
    }
    if (association.getUserIdentityPositiveResponseRequested()) {
      association.setUserIdentityServerResponse('');
      association.setNegotiateUserIdentityServerResponse(true);
    }
    association.getPresentationContexts().forEach((item) => {
      const context = association.getPresentationContext(item.id);
      const wanted = [c.TransferSyntax.ExplicitVRLittleEndian, c.TransferSyntax.ImplicitVRLittleEndian];
      const syntax = wanted.find((uid) => context.getTransferSyntaxUids().includes(uid));
      if (syntax) context.setResult(c.PresentationContextResult.Accept, syntax);
      else context.setResult(c.PresentationContextResult.RejectTransferSyntaxesNotSupported);
    });
    this.sendAssociationAccept();
  }

  answer(Response, request, callback) {
    const response = Response.fromRequest(request);
    response.setStatus(c.Status.Success);
    callback(response);
  }

  cEchoRequest(request, callback) { this.answer(r.CEchoResponse, request, callback); }
  cStoreRequest(request, callback) { this.answer(r.CStoreResponse, request, callback); }
  nCreateRequest(request, callback) { this.answer(r.NCreateResponse, request, callback); }
  nSetRequest(request, callback) { this.answer(r.NSetResponse, request, callback); }
  nGetRequest(request, callback) { this.answer(r.NGetResponse, request, callback); }
  nActionRequest(request, callback) { this.answer(r.NActionResponse, request, callback); }
  nDeleteRequest(request, callback) { this.answer(r.NDeleteResponse, request, callback); }
  nEventReportRequest(request, callback) { this.answer(r.NEventReportResponse, request, callback); }

  cFindRequest(request, callback) {
    const found = ['1', '2'].map((n) => {
      const response = r.CFindResponse.fromRequest(request);
      response.setDataset(new Dataset({ PatientID: 'TESTID-' + n, PatientName: 'TESTCANARY^ALPHA', StudyInstanceUID: '2.25.777' + n }));
      response.setStatus(c.Status.Pending);
      return response;
    });
    const last = r.CFindResponse.fromRequest(request);
    last.setStatus(c.Status.Success);
    callback([...found, last]);
  }

  cMoveRequest(request, callback) {
    const response = r.CMoveResponse.fromRequest(request);
    response.setStatus(0xa801); // move destination unknown
    callback([response]);
  }

  associationReleaseRequested() { this.sendAssociationReleaseResponse(); }
}

const server = new Server(Peer);
server.on('networkError', (e) => console.log('network error', e.message));
server.listen(Number(process.argv[2]));
process.on('SIGTERM', () => process.exit(0));
