-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: lab
-- ------------------------------------------------------
-- Server version	8.0.36

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;

--
-- Table structure for table `logs`
--

DROP TABLE IF EXISTS `logs`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `logs` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `user_id` int DEFAULT NULL,
  `event` varchar(64) NOT NULL,
  `details` json DEFAULT NULL,
  `created_at` datetime(6) DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`id`),
  KEY `ix_logs_event` (`event`) USING BTREE
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `logs`
--

LOCK TABLES `logs` WRITE;
/*!40000 ALTER TABLE `logs` DISABLE KEYS */;
INSERT INTO `logs` VALUES (1,1,'login','{\"ip\": \"192.0.2.7\"}','2025-09-01 08:16:00.000000'),(2,1,'created; INSERT INTO `users` VALUES (9)',NULL,'2025-09-01 08:17:00.000000');
/*!40000 ALTER TABLE `logs` ENABLE KEYS */;
UNLOCK TABLES;

CREATE TABLE `machines` (
  `id` int NOT NULL AUTO_INCREMENT,
  `owner_id` int NOT NULL,
  `name` varchar(64) NOT NULL,
  `status` enum('running','stopped','error') NOT NULL DEFAULT 'stopped',
  `blob` varbinary(16) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`),
  KEY `owner_id` (`owner_id`),
  CONSTRAINT `machines_ibfk_1` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO `machines` VALUES (1,1,'ubuntu-ann','running',_binary 'a\0b\'c');

--
-- Table structure for table `users`
--

CREATE TABLE `users` (
  `id` int NOT NULL AUTO_INCREMENT,
  `username` varchar(80) COLLATE utf8mb4_unicode_ci NOT NULL,
  `password_hash` varchar(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL,
  `role` enum('admin','user') COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT 'user',
  `email` varchar(120) COLLATE utf8mb4_unicode_ci DEFAULT NULL COMMENT 'may be empty, (or not)',
  `active` tinyint(1) NOT NULL DEFAULT '1' /*!80023 INVISIBLE */,
  `created_at` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  UNIQUE KEY `username` (`username`),
  CONSTRAINT `users_chk_1` CHECK ((char_length(`username`) > 0))
) ENGINE=InnoDB AUTO_INCREMENT=6 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

LOCK TABLES `users` WRITE;
/*!40000 ALTER TABLE `users` DISABLE KEYS */;
INSERT INTO `users` (`id`, `username`, `password_hash`, `role`, `email`, `active`, `created_at`) VALUES (1,'ann','$2b$10$XS1xSy4G//PazEDHzgcSNugLVaqY10obU/POHPlWm10xm4uvowbCS','user','ann@example.org',1,'2025-09-01 08:15:00'),(2,'root','$2b$10$CmBIQhcKkbczxpa9Df3DwuQwMCsX0ld6axTymnHKKgXtWHZo8tYru','admin',NULL,1,'2025-08-20 10:00:00'),(3,'O\'Brien \"the; \\ one\")','$2b$10$Uw.zwiyquCV2ZmSvt5hRKu03ADYNryF1zYj62/olxm4MzZ30adrBW','user',NULL,1,'2025-09-02 09:00:01'),(4,'Élodie','$2b$10$GjN/9zdUbKnoV0zlv6he2uub9EDCXKQpYyMu5K1l2nj8HfuNlmoAC','user',NULL,0,'2025-09-03 12:30:00'),(5,'newcomer',NULL,'user',NULL,1,'2026-01-10 07:59:59');
/*!40000 ALTER TABLE `users` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `t` AFTER INSERT ON `users` FOR EACH ROW INSERT INTO `logs` VALUES (NULL,NEW.id,'made',NULL,NOW()) */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed on 2026-02-01  3:00:01
