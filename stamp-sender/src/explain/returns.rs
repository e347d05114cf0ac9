//! What the reflector did not do of what probes asked for (RFC 9503).

use super::Finding;
use crate::output::record::SessionRecord;

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let requests = &session.requests;
    if requests.wrong_reflector > 0 {
        let count = requests.wrong_reflector;
        let node = requests.destination_node.clone().unwrap_or_default();
        findings.push(Finding::WrongReflector { count, node });
    }
    if requests.return_path_not_honoured > 0 {
        let count = requests.return_path_not_honoured;
        let wanted = requests.return_path.clone().unwrap_or_default();
        findings.push(Finding::ReturnPathNotHonoured { count, wanted });
    }
}
