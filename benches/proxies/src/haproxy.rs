//! HAProxy with one thread, without a WAF. Connections to the upstream are shared between clients (`always`), as
//! the others do it.

use std::path::PathBuf;

use crate::peer::{Absent, Launch, Setting, installed};

pub(super) fn prepare(setting: &Setting<'_>) -> Result<Launch, Absent> {
    let program = installed(&[PathBuf::from("/usr/sbin/haproxy")])?;
    let place = setting.place;
    let text = format!(
        "global\n    nbthread 1\n    maxconn 4096\n\
         defaults\n    mode http\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n    \
         http-reuse always\n    option forwardfor\n\
         frontend shop\n    bind {listen} ssl crt {both} alpn h2,http/1.1\n    \
         http-request set-header X-Forwarded-Proto https\n    default_backend upstream\n\
         backend upstream\n    server one {upstream}\n",
        listen = setting.listen,
        both = place.both().display(),
        upstream = place.upstream(),
    );
    let file = setting.write("haproxy.cfg", &text)?;
    Ok(Launch {
        program,
        arguments: vec!["-db".into(), "-f".into(), file.into()],
        environment: Vec::new(),
    })
}
