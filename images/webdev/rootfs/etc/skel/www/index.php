<?php
// Your site's first page. Change it, save it, and reload http://localhost:8080/.

$language = str_starts_with(strtolower($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? ''), 'fr') ? 'fr' : 'en';
$texts = [
    'en' => ['Your site is running', 'This page is made by PHP from the file', 'A page without PHP', 'Guest book', 'Your name', 'Sign', 'Nobody has signed yet.'],
    'fr' => ['Votre site fonctionne', 'Cette page est faite par PHP à partir du fichier', 'Une page sans PHP', 'Livre d’or', 'Votre nom', 'Signer', 'Personne n’a encore signé.'],
];
[$title, $made, $static, $book, $name, $sign, $nobody] = $texts[$language];

// The guest book is an SQLite file beside the site, outside of what it serves.
$database = new PDO('sqlite:' . dirname(__DIR__) . '/guestbook.sqlite');
$database->exec('CREATE TABLE IF NOT EXISTS guests (name TEXT NOT NULL, signed TEXT NOT NULL)');
if ($_SERVER['REQUEST_METHOD'] === 'POST' && trim($_POST['name'] ?? '') !== '') {
    $database->prepare('INSERT INTO guests VALUES (?, ?)')->execute([trim($_POST['name']), date('Y-m-d H:i')]);
    header('Location: /', true, 303);
    exit;
}
$guests = $database->query('SELECT name, signed FROM guests ORDER BY signed DESC LIMIT 10')->fetchAll();
?>
<!doctype html>
<html lang="<?= $language ?>">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title><?= $title ?></title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <h1><?= $title ?></h1>
  <p><?= $made ?> <code>~/www/index.php</code> (PHP <?= PHP_VERSION ?>).</p>
  <p><a href="/page.html"><?= $static ?></a></p>

  <h2><?= $book ?></h2>
  <form method="post">
    <label><?= $name ?> <input name="name" maxlength="60" required></label>
    <button><?= $sign ?></button>
  </form>
<?php if (!$guests): ?>
  <p><?= $nobody ?></p>
<?php endif ?>
  <ul>
<?php foreach ($guests as $guest): ?>
    <li><?= htmlspecialchars($guest['name']) ?> <small><?= $guest['signed'] ?></small></li>
<?php endforeach ?>
  </ul>
</body>
</html>
