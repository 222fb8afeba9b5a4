//! JupyterLab: a cell runs in a kernel over its WebSocket, and what it shows stands on the page.

use super::{App, shipped};
use crate::browser::Browser;
use crate::desktop::type_line;
use crate::gateway::{Gateway, eventually};
use thirtyfour::prelude::*;

async fn a_student_runs_a_cell(routing: &'static str) {
    let gateway = Gateway::builder().routing(routing).template(&shipped("notebook")).start().await;
    let ann = gateway.login("ann").await;
    let mut browser = Browser::open(1280, 800).await;
    let app = App::open(&gateway, &mut browser, &ann, "notebook").await;

    // The page draws over its files while it starts.
    let seed = ".jp-DirListing-item[title*='Welcome.ipynb']";
    browser.until(&format!("document.querySelector(\"{seed}\")?.offsetWidth > 0")).await;
    eventually("a double click opens the notebook", || async {
        let seed = browser.driver.find(By::Css(seed)).await.ok()?;
        let _ = browser.driver.action_chain().double_click_element(&seed).perform().await;
        browser.driver.find(By::Css(".jp-Notebook")).await.ok().map(|_| ())
    })
    .await;
    // A cell that is run before its kernel answers is not run at all.
    browser.until("document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')").await;
    // Cells are there before they are drawn.
    eventually("the first cell takes a click", || async {
        let cell = browser.driver.find(By::Css(".jp-CodeCell .cm-content")).await.ok()?;
        cell.click().await.ok()
    })
    .await;
    browser.screenshot(&format!("{routing}-notebook-open")).await;

    let all = browser.driver.action_chain().key_down(Key::Control).send_keys("a").key_up(Key::Control);
    all.perform().await.expect("key events");
    let code = "import pathlib, pandas as pd; pathlib.Path('proof').write_text('berth'); print('sum', pd.Series([20, 22]).sum())";
    browser.driver.action_chain().send_keys(code).perform().await.expect("key events");
    let run = browser.driver.action_chain().key_down(Key::Shift).key_down(Key::Enter).key_up(Key::Enter);
    run.key_up(Key::Shift).perform().await.expect("key events");
    browser.until("document.querySelector('.jp-OutputArea-output')?.innerText.includes('sum 42')").await;
    assert_eq!(super::run(&app.container, "cat proof").unwrap_or_default(), "berth");
    browser.screenshot(&format!("{routing}-notebook")).await;

    // What was typed is saved without anybody asking.
    eventually("the notebook is saved", || async {
        super::run(&app.container, "cat Welcome.ipynb").unwrap_or_default().contains("sum 42").then_some(())
    })
    .await;
    // A plot is a picture on the page.
    browser.click(".jp-Cell:last-child .cm-content").await;
    type_line(&browser.driver, "import matplotlib.pyplot as plt; plt.plot([1, 3, 2]); plt.show()").await;
    let run = browser.driver.action_chain().key_down(Key::Shift).key_down(Key::Enter).key_up(Key::Enter);
    run.key_up(Key::Shift).perform().await.expect("key events");
    browser.until("document.querySelector('.jp-OutputArea-output img')?.naturalWidth > 100").await;
    browser.screenshot(&format!("{routing}-notebook-plot")).await;
}

#[tokio::test]
async fn a_cell_runs_in_path_mode() {
    a_student_runs_a_cell("path").await;
}

#[tokio::test]
async fn a_cell_runs_in_subdomain_mode() {
    a_student_runs_a_cell("subdomain").await;
}
