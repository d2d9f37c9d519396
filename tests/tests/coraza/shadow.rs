//! `shadow = "coraza"`: it says where it differs, and changes nothing.

use std::net::SocketAddr;

use palisade_tests::harness::{
    Ask, Connection, EdgeProcess, Route, TestEdge, Tls, Upstream, crs_rules, eventually,
};
use serde_json::Value;

/// Our engine knows REMOTE_HOST (the address), libcoraza leaves it empty: to it, nobody is who is expected.
const DIFFERENT: &str = "SecRule ARGS:who \"@streq me\" \"id:9000001,phase:1,deny,status:418,log,msg:'not me',chain\"\n    \
    SecRule REMOTE_HOST \"!@streq 127.0.0.1\" \"t:none\"\n";

async fn status(address: SocketAddr, ask: &Ask) -> u16 {
    let mut connection = Connection::tls(address, "app.test", &Tls::default())
        .await
        .unwrap();
    connection.send(ask.bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().status
}

/// The lines in which the shadow speaks.
fn told(process: &EdgeProcess) -> Vec<Value> {
    let output = process.output();
    let lines = output.lines().filter(|line| line.contains("judges otherwise"));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test]
async fn a_different_verdict_is_told_with_its_rules_and_changes_no_answer() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("shadow = \"coraza\"\nseclang_after = [\"own.conf\"]");
    let files = TestEdge::builder().rules(rules).route(&route).write();
    files.write("own.conf", DIFFERENT);
    let process = EdgeProcess::start(&files);
    let address = process.https().await;
    assert_eq!(status(address, &Ask::get("/?who=you")).await, 200);
    assert_eq!(status(address, &Ask::get("/?id=1'%20or%20'1'='1'--")).await, 403);
    assert_eq!(status(address, &Ask::get("/?who=me")).await, 200);

    let lines = eventually("the shadow's line", || async {
        Some(told(&process)).filter(|lines| !lines.is_empty())
    })
    .await;
    let line = &lines[0];
    assert_eq!(
        (&line["palisade"], &line["coraza"]),
        (&"passed".into(), &"stopped 418".into())
    );
    assert_eq!(
        (&line["only_palisade"], &line["only_coraza"]),
        (&"".into(), &"9000001".into())
    );
    assert_eq!(
        (&line["route"], &line["host"]),
        (&"app".into(), &"app.test".into())
    );
    // Requests are judged in their order: the two before this one were the same to both.
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[tokio::test]
async fn every_request_is_counted_by_what_came_of_it() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app").to(&upstream).waf("shadow = \"coraza\"");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    edge.ask("app.test", &Ask::get("/hello")).await.expect(200);
    edge.ask("app.test", &Ask::form("/", "text=good+morning"))
        .await
        .expect(200);
    edge.ask("app.test", &Ask::form("/", "id=1'%20or%20'1'='1'--"))
        .await
        .expect(403);
    // Coraza cannot be shown this one, and would refuse it.
    edge.ask("app.test", &Ask::get("/").header("X-Name", b"gr\xfcn"))
        .await
        .expect(200);
    let count = async |result: &str| {
        let series = format!("palisade_waf_shadow_total{{route=\"app\",result=\"{result}\"}}");
        edge.metric(&series).await
    };
    eventually("the shadow to be through", || async {
        (count("same").await + count("different").await == 4.0).then_some(())
    })
    .await;
    assert_eq!((count("same").await, count("different").await), (3.0, 1.0));
    eventually("their bodies to be given back", || async {
        (edge.metric("palisade_inspection_body_bytes").await == 0.0).then_some(())
    })
    .await;
}
