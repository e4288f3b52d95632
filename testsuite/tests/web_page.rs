//! The page itself: readable by everybody, whatever it shows.

use testsuite::browser::{Browser, Kind, Page};
use testsuite::gateway::Gateway;

fn accessible(what: &str, page: &mut Page<'_>) {
    let violations = page.axe().unwrap();
    assert!(violations.is_empty(), "{what}:\n{}", violations.join("\n"));
}

#[test]
fn screen_readers_and_weak_eyes_are_served() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    for (theme, value) in [("light", "light"), ("dark", "dark")] {
        page.run(&format!("document.documentElement.dataset.theme = '{value}'")).unwrap();
        page.connected().unwrap();
        accessible(&format!("{theme}: the demo desktop"), &mut page);
        for panel in ["keys-open", "clipboard-open", "settings-open"] {
            page.click(&format!("#{panel}")).unwrap();
            page.wait("the panel", &format!("document.querySelector('#{panel}').ariaExpanded === 'true'"))
                .unwrap();
            accessible(&format!("{theme}: {panel}"), &mut page);
            page.key("press", "Escape").unwrap();
            page.wait("its end", &format!("document.querySelector('#{panel}').ariaExpanded === 'false'"))
                .unwrap();
        }
        page.click("#stats-toggle").unwrap();
        accessible(&format!("{theme}: statistics"), &mut page);
        page.click("#stats-toggle").unwrap();
        page.click("#tab-add").unwrap();
        page.wait("the form", "document.querySelector('.machine.selected .cover.new:not([hidden])')")
            .unwrap();
        accessible(&format!("{theme}: the form"), &mut page);
        page.fill(".machine.selected .host", "127.0.0.1").unwrap();
        page.run("document.querySelector('.machine.selected .port').value = '1'").unwrap();
        page.key("press", "Enter").unwrap();
        page.wait("an error", "document.querySelector('.machine.selected .cover.failed:not([hidden])')")
            .unwrap();
        accessible(&format!("{theme}: an error"), &mut page);
        page.click("#tabs .tab:first-child .tab-select").unwrap();
    }
    page.check().unwrap();
}
