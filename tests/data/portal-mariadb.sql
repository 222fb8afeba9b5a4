/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: db    Database: lab
-- ------------------------------------------------------
-- Server version	10.11.6-MariaDB-0+deb12u1

/*!40101 SET NAMES utf8mb4 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

DROP TABLE IF EXISTS `logs`;
CREATE TABLE `logs` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `details` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`details`)),
  `at` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE IF NOT EXISTS `machines` (
  `id` int(11) NOT NULL,
  `name` varchar(64) DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

DROP TABLE IF EXISTS `users`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
CREATE TABLE `users` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `username` varchar(80) NOT NULL,
  `password_hash` varchar(255) DEFAULT NULL,
  `is_admin` tinyint(1) NOT NULL DEFAULT 0,
  `is_active` tinyint(1) DEFAULT 1,
  `created_at` datetime DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `username` (`username`)
) ENGINE=InnoDB AUTO_INCREMENT=6 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

LOCK TABLES `users` WRITE;
/*!40000 ALTER TABLE `users` DISABLE KEYS */;
INSERT INTO `users` VALUES
(1,'ann','$2b$10$XS1xSy4G//PazEDHzgcSNugLVaqY10obU/POHPlWm10xm4uvowbCS',0,1,'2025-09-01 08:15:00'),
(2,'root','$2b$10$CmBIQhcKkbczxpa9Df3DwuQwMCsX0ld6axTymnHKKgXtWHZo8tYru',1,1,'2025-08-20 10:00:00'),
(3,'O\'Brien \"the; \\ one\")','$2b$10$Uw.zwiyquCV2ZmSvt5hRKu03ADYNryF1zYj62/olxm4MzZ30adrBW',0,1,'2025-09-02 09:00:01'),
(4,'Élodie','$2b$10$GjN/9zdUbKnoV0zlv6he2uub9EDCXKQpYyMu5K1l2nj8HfuNlmoAC',0,0,'2025-09-03 12:30:00'),
(5,'newcomer',NULL,0,1,'2026-01-10 07:59:59');
/*!40000 ALTER TABLE `users` ENABLE KEYS */;
UNLOCK TABLES;

DELIMITER ;;
/*!50003 CREATE*/ /*!50020 DEFINER=`root`@`localhost`*/ /*!50003 PROCEDURE `tidy`()
BEGIN
  DELETE FROM `logs`; INSERT INTO `users` VALUES (99,'ghost','x',1,1,NULL);
END */;;
DELIMITER ;
-- Dump completed on 2026-02-01  3:00:01
