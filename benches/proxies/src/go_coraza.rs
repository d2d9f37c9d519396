//! Go's reverse proxy (benches/peers/go-coraza), behind Coraza's middleware or not. One thread runs Go code.

use crate::peer::{Absent, Launch, Setting, Waf, installed};

pub(super) fn prepare(setting: &Setting<'_>, waf: Waf) -> Result<Launch, Absent> {
    let place = setting.place;
    let program = installed(&[place.peers.join("go-coraza")])?;
    let mut arguments = vec![
        "-listen".into(),
        setting.listen.to_string().into(),
        "-upstream".into(),
        format!("http://{}", place.upstream()).into(),
        "-certificate".into(),
        place.certificate().into(),
        "-key".into(),
        place.key().into(),
    ];
    if waf == Waf::On {
        let recommended = installed(&[place.peers.join("coraza.conf")])?;
        let file = setting.write("directives.conf", &place.directives(&recommended))?;
        arguments.extend(["-directives".into(), file.into()]);
    }
    Ok(Launch {
        program,
        arguments,
        environment: vec![("GOMAXPROCS", "1")],
    })
}
