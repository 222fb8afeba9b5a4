<?php
// The way in: one card per database system, opened by a click, in the browser's language.

$french = str_starts_with(strtolower($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? ''), 'fr');
$say = fn (string $english, string $other): string => htmlspecialchars($french ? $other : $english);
$home = getenv('HOME');

$systems = [
    ['MariaDB', 'server', 'localhost', 'user', 'library', 'mariadb'],
    ['PostgreSQL', 'pgsql', '/tmp', 'user', 'library', 'psql'],
    ['SQLite', 'sqlite', '', '', "$home/library.sqlite", 'sqlite3 ~/library.sqlite'],
];
?>
<!doctype html>
<html lang="<?= $french ? 'fr' : 'en' ?>">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title><?= $say('Databases', 'Bases de données') ?></title>
<link rel="stylesheet" href="/start.css">
<main>
  <h1><?= $say('Databases', 'Bases de données') ?></h1>
  <p><?= $say(
      'Each of these holds the same sample data: a school library with authors, books, students and loans. They are yours: change what you like.',
      'Chacune contient les mêmes données d’exemple : une bibliothèque scolaire avec auteurs, livres, élèves et prêts. Elles sont à vous : changez ce que vous voulez.'
  ) ?></p>
  <div class="cards">
<?php foreach ($systems as [$title, $driver, $server, $user, $database, $command]): ?>
    <form method="post" action="/adminer.php">
      <input type="hidden" name="auth[driver]" value="<?= $driver ?>">
      <input type="hidden" name="auth[server]" value="<?= $server ?>">
      <input type="hidden" name="auth[username]" value="<?= $user ?>">
      <input type="hidden" name="auth[password]" value="">
      <input type="hidden" name="auth[db]" value="<?= htmlspecialchars($database) ?>">
      <h2><?= $title ?></h2>
      <button><?= $say('Open', 'Ouvrir') ?></button>
      <p><?= $say('In a terminal:', 'Dans un terminal :') ?><br><code><?= $command ?></code></p>
    </form>
<?php endforeach ?>
  </div>
</main>
