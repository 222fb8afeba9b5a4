//! An image of the replaced systems' shape: its own noVNC opens by itself and shows its screen.
//! What is typed there is proven in `desktop`.

use super::{App, shipped};
use crate::browser::Browser;
use crate::gateway::Gateway;

#[tokio::test]
async fn the_classic_image_opens_its_own_viewer() {
    let template = shipped("novnc-classic") + "env = { GEOMETRY = \"1000x600\" }\n";
    let gateway = Gateway::builder().template(&template).start().await;
    let ann = gateway.login("ann").await;
    let mut browser = Browser::open(1280, 800).await;
    App::open(&gateway, &mut browser, &ann, "novnc-classic").await;
    browser.wait_for("#noVNC_container canvas").await;
    let painted = "(() => { const c = document.querySelector('#noVNC_container canvas');\
                   if (!c || c.width !== 1000 || c.height !== 600) return false;\
                   const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const s = new Set();\
                   for (let i = 0; i < p.length; i += 4 * 97) s.add(p[i] << 16 | p[i + 1] << 8 | p[i + 2]);\
                   return s.size > 4; })()";
    browser.until(painted).await;
    browser.screenshot("classic-own-viewer").await;
}
