// Copyright 2026 fer_ros contributors
// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fer_msgs/msg/emotion_array.hpp>
#include <rclcpp/rclcpp.hpp>
#include <std_msgs/msg/string.hpp>

const std::map<std::string, std::string> SENTENCES{{"happy", "Hello! Good to see you."},
                                                   {"sad", "Is everything all right?"}};
constexpr double SURE_S = 1.0;

class Greeter : public rclcpp::Node {
 public:
  Greeter() : Node("greeter") {
    say_ = create_publisher<std_msgs::msg::String>("say", 10);
    emotions_ = create_subscription<fer_msgs::msg::EmotionArray>(
        "emotions", 10, [this](const fer_msgs::msg::EmotionArray& message) {
          const double now_s = rclcpp::Time(message.header.stamp).seconds();
          for (const auto& emotion : message.emotions) {
            react(emotion, now_s);
          }
        });
  }

 private:
  void react(const fer_msgs::msg::Emotion& emotion, double now_s) {
    auto& [label, since_s] = looks_[emotion.track_id];
    if (label != emotion.label || now_s < since_s) {
      label = emotion.label;
      since_s = now_s;
      return;
    }
    const auto sentence = SENTENCES.find(label);
    // A face that is hard to read is no reason to speak to somebody.
    if (emotion.quality || now_s - since_s < SURE_S || sentence == SENTENCES.end()) {
      return;
    }
    if (said_.insert({emotion.track_id, label}).second) {
      std_msgs::msg::String words;
      words.data = sentence->second;
      say_->publish(words);
      RCLCPP_INFO(get_logger(), "person %u: %s", emotion.track_id, words.data.c_str());
    }
  }

  rclcpp::Publisher<std_msgs::msg::String>::SharedPtr say_;
  rclcpp::Subscription<fer_msgs::msg::EmotionArray>::SharedPtr emotions_;
  std::map<uint32_t, std::pair<std::string, double>> looks_;
  std::set<std::pair<uint32_t, std::string>> said_;
};

int main(int argc, char** argv) {
  rclcpp::init(argc, argv);
  rclcpp::spin(std::make_shared<Greeter>());
  rclcpp::shutdown();
}
